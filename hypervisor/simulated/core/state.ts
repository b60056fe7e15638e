import type { Result } from '../../../base/result.ts';
import type { Bytes, Milliseconds } from '../../../base/units.ts';
import type {
  DiskConfig,
  Domain,
  DomainConfig,
  DomainId,
  DomainState,
  HypervisorError,
  HypervisorInfo,
} from '../../port.ts';
import type { Fault } from './faults.ts';
import type { Guest } from './guest.ts';

/** The simulated hypervisor's state and its vocabulary: what goes into a step and comes out. */

/** How long the simulated host and its guests take. */
export interface Latency {
  /** From the request to build a domain until it is built, paused. */
  readonly create: Milliseconds;
  /** From the first unpause to the guest's last line of boot. */
  readonly boot: Milliseconds;
  /** From the request to shut down until the guest has stopped. */
  readonly shutdown: Milliseconds;
  /** How long a destroyed domain is `dying`. */
  readonly destroy: Milliseconds;
}

/** What the simulated host has. */
export interface HostConfig {
  readonly cpus: number;
  readonly memory: Bytes;
  readonly latency: Latency;
}

/** Numbers the calls that wait for an answer; the shell chooses it. */
export type CallId = number;

/** The calls of the port that reach the core; consoles and watches are the shell's. */
export type Call =
  | { readonly kind: 'info' }
  | { readonly kind: 'listDomains' }
  | {
      readonly kind: 'createDomain';
      readonly config: DomainConfig;
      /** What the shell found wrong with the configuration's files. */
      readonly files: HypervisorError | null;
    }
  | { readonly kind: 'connectDisk'; readonly id: DomainId; readonly disk: DiskConfig }
  | { readonly kind: 'nicInterface'; readonly id: DomainId; readonly index: number }
  | { readonly kind: 'connectNic'; readonly id: DomainId; readonly index: number }
  | { readonly kind: 'unpause'; readonly id: DomainId }
  | { readonly kind: 'pause'; readonly id: DomainId }
  | {
      readonly kind: 'requestShutdown';
      readonly id: DomainId;
      readonly reason: 'poweroff' | 'reboot';
    }
  | { readonly kind: 'destroyDomain'; readonly id: DomainId }
  | { readonly kind: 'openConsole'; readonly id: DomainId };

/** The name of a call, as faults select it. */
export type CallKind = Call['kind'];

/** What a call answers; which member of the union is fixed by the call's kind. */
export type CallValue =
  | { readonly kind: 'info'; readonly info: HypervisorInfo }
  | { readonly kind: 'domains'; readonly domains: readonly Domain[] }
  | { readonly kind: 'id'; readonly id: DomainId }
  | { readonly kind: 'interface'; readonly name: string }
  | { readonly kind: 'done' };

/** Everything that happens to a simulated host. */
export type Input =
  | { readonly kind: 'call'; readonly call: CallId; readonly request: Call }
  | { readonly kind: 'typed'; readonly id: DomainId; readonly text: string }
  | { readonly kind: 'inject'; readonly fault: Fault }
  | { readonly kind: 'tick' };

/** Everything that a simulated host does, in order. */
export type Output =
  | {
      readonly kind: 'answer';
      readonly call: CallId;
      readonly result: Result<CallValue, HypervisorError>;
    }
  | { readonly kind: 'changed'; readonly id: DomainId }
  | { readonly kind: 'printed'; readonly id: DomainId; readonly text: string }
  | { readonly kind: 'console-ended'; readonly id: DomainId };

/** One simulated domain. Its state as the port sees it is `state`, its guest's inner life `guest`. */
export interface SimulatedDomain {
  readonly id: DomainId;
  readonly config: DomainConfig;
  /** False while `createDomain` is at work on it. */
  built: boolean;
  state: DomainState;
  readonly guest: Guest;
  /** What the backends were told, by vdev and by index: kept to be asserted on. */
  readonly disks: Map<string, DiskConfig>;
  readonly nics: Set<number>;
}

/** Something that will happen to a domain at a moment. */
export interface Timer {
  readonly at: Milliseconds;
  readonly id: DomainId;
  readonly event:
    | { readonly kind: 'built'; readonly call: CallId; readonly failure: HypervisorError | null }
    | { readonly kind: 'gone'; readonly call: CallId }
    | { readonly kind: 'guest' };
}

/** The whole state of one simulated host. `step` changes it in place. */
export interface Host {
  readonly config: HostConfig;
  readonly domains: Map<DomainId, SimulatedDomain>;
  timers: Timer[];
  faults: Fault[];
  lastId: number;
}

/** A host that has just been switched on. */
export function newHost(config: HostConfig): Host {
  return { config, domains: new Map(), timers: [], faults: [], lastId: 0 };
}

/** The moment at which the host wants its next `tick`, or null while nothing is due. */
export function nextDeadline(host: Host): Milliseconds | null {
  let earliest: Milliseconds | null = null;
  for (const timer of host.timers)
    if (earliest === null || timer.at < earliest) earliest = timer.at;
  return earliest;
}
