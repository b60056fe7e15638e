import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '../../base/result.ts';
import { type Bytes, bytes, type Milliseconds } from '../../base/units.ts';
import {
  type Console,
  controlDomain,
  type Domain,
  type DomainConfig,
  type DomainId,
  type DomainUuid,
  type Hypervisor,
  type HypervisorError,
} from '../../hypervisor/port.ts';

/** A disk that the control domain itself serves. */
export const ownBackend = { backend: controlDomain, device: null };

/** The implementation under test, and what its host has for guests. */
export interface ContractSubject {
  readonly hypervisor: Hypervisor;
  readonly kind: 'xen' | 'simulated';
  /** The kind of domain that this run builds. */
  readonly type: 'pv' | 'pvh';
  readonly kernel: string;
  readonly ramdisk: string | null;
  readonly commandLine: string;
  /** Something that a disk can be made of; no two cases use it at once. */
  readonly diskPath: string;
  readonly bridge: string;
  /** Joins a backend's interface to the bridge, as the network service does. */
  readonly joinBridge: (name: string) => Promise<void>;
  /** What the guest prints, in this order: at its start, with its disk and NIC, and when it is up. */
  readonly lines: {
    readonly first: RegExp;
    readonly devices: RegExp[];
    readonly up: RegExp;
    /** What `try xvda`, typed on its console, has it print once it has used that disk. */
    readonly tried: RegExp;
    /** What `drain` has a driver domain print once it has let go of the disks that it served. */
    readonly drained: RegExp;
  };
  /** The number, in a guest that has it as `xvda`, of a disk that the guest serves to others. */
  readonly guestDevice: string;
  /** Longest wait for anything that the guest or the hypervisor does. */
  readonly patience: Milliseconds;
  /** Lets go of the hypervisor and returns another connection; null where nothing outlives it. */
  readonly reconnect: (() => Promise<Hypervisor>) | null;
}

/** One promise of the port. */
export interface ContractCase {
  /** A sentence about behaviour. */
  readonly title: string;
  /** It is about several connections: left out where `reconnect` is null. */
  readonly reconnects?: true;
  /** Rejects when the promise is broken. */
  run(subject: ContractSubject): Promise<void>;
}

/** A configuration that boots, with an identity of its own, changed by `changes`. */
export function bootable(
  subject: ContractSubject,
  changes: Partial<DomainConfig> = {},
): DomainConfig {
  const uuid = randomUUID() as DomainUuid;
  return {
    uuid,
    name: `contract-${uuid.slice(0, 8)}`,
    type: subject.type,
    memory: bytes(128 * 2 ** 20),
    vcpus: 1,
    kernel: subject.kernel,
    ramdisk: subject.ramdisk,
    commandLine: subject.commandLine,
    disks: [],
    nics: [],
    ...changes,
  };
}

/** The value of a result that must be a success. */
export function value<Value>(result: Result<Value, HypervisorError>): Value {
  assert.ok(result.ok, result.ok ? '' : `${result.error.code}: ${result.error.detail}`);
  return result.value;
}

/** The error of a result that must be a failure. */
export function error(result: Result<unknown, HypervisorError>): HypervisorError {
  assert.ok(!result.ok, 'it succeeded');
  return result.error;
}

/** The domain of this UUID as it is listed now. */
export async function find(hypervisor: Hypervisor, uuid: string): Promise<Domain | undefined> {
  return value(await hypervisor.listDomains()).find((domain) => domain.uuid === uuid);
}

/** Waits until `done` is true of the listed domain; rejects when patience ends. */
export async function until(
  { hypervisor, patience }: ContractSubject,
  uuid: string,
  done: (domain: Domain | undefined) => boolean,
): Promise<void> {
  const pause = 100;
  for (let waited = 0; waited < patience; waited += pause) {
    if (done(await find(hypervisor, uuid))) return;
    await sleep(pause);
  }
  assert.fail(`the domain stayed ${JSON.stringify(await find(hypervisor, uuid))}`);
}

/** Waits until as much memory is free as before: Xen frees a domain's own structures a little later. */
export async function untilFree(
  { hypervisor, patience }: ContractSubject,
  before: Bytes,
): Promise<void> {
  const pause = 100;
  const free = async () => value(await hypervisor.info()).memoryFree;
  for (let waited = 0; waited < patience; waited += pause) {
    if ((await free()) === before) return;
    await sleep(pause);
  }
  assert.fail(`${before - (await free())} bytes did not come back`);
}

/** Builds a domain, hands it over, and destroys it whatever happens. */
export async function withDomain(
  subject: ContractSubject,
  config: DomainConfig,
  use: (id: DomainId) => Promise<void>,
): Promise<void> {
  const id = value(await subject.hypervisor.createDomain(config));
  try {
    await use(id);
  } finally {
    await subject.hypervisor.destroyDomain(id);
  }
}

/** Reads what a console prints. */
export class Transcript {
  #text = '';
  #ended = false;
  readonly #patience: Milliseconds;

  /** Reads `console` from now on. */
  constructor(console: Console, patience: Milliseconds) {
    this.#patience = patience;
    const decoder = new TextDecoder();
    console.onData((data) => {
      this.#text += decoder.decode(data, { stream: true });
    });
    console.onEnd(() => {
      this.#ended = true;
    });
  }

  /** Waits for a line that matches. */
  async sees(pattern: RegExp): Promise<void> {
    await this.#wait(() => pattern.test(this.#text), `nothing like ${pattern}`);
  }

  /** Waits for the console's end. */
  async ends(): Promise<void> {
    await this.#wait(() => this.#ended, 'no end');
  }

  async #wait(done: () => boolean, missing: string): Promise<void> {
    const pause = 50;
    for (let waited = 0; waited < this.#patience && !done(); waited += pause) await sleep(pause);
    assert.ok(
      done(),
      `${missing} on the console after: ${JSON.stringify(this.#text.slice(-2000))}`,
    );
  }
}
