import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes } from '../../../base/units.ts';
import type { ConnectionId } from '../core/domain.ts';
import { textOf } from '../core/payload.ts';
import type { DomainId } from '../core/permissions.ts';
import { messageName, messageTypes, type Packet } from '../core/wire.ts';

/** A log that has grown to this is set aside as `.1`, in place of the one before. */
const sizeMax: Bytes = bytes(16 * 2 ** 20);

/** What a line has of a request at the most; the rest is cut off. */
const contentMax = 256;

/** What the log can tell of: connections that come and go; requests, replies and events. */
export const traceSwitches = ['obj', 'io'] as const;
export type TraceSwitch = (typeof traceSwitches)[number];

/**
 * The access log: who asked what of the daemon, and what came of it; a line each. It is off until
 * CONTROL `log` turns it on. Values are not in it, for guests keep passwords there, but their sizes
 * are. A log that cannot be written turns itself off.
 */
export class Trace {
  readonly #onTrouble: (message: string) => void;
  readonly #switches = new Set<TraceSwitch>(traceSwitches);
  #path: string;
  #file: number | null = null;
  #size = 0;

  /** `path` is where it is written once it is on. */
  constructor(path: string, onTrouble: (message: string) => void) {
    this.#path = path;
    this.#onTrouble = onTrouble;
  }

  get path(): string {
    return this.#path;
  }

  get on(): boolean {
    return this.#file !== null;
  }

  /** Whether requests and replies are wanted: looked at for every one of them. */
  get packets(): boolean {
    return this.#file !== null && this.#switches.has('io');
  }

  has(name: TraceSwitch): boolean {
    return this.#switches.has(name);
  }

  set(name: TraceSwitch, wanted: boolean): void {
    if (wanted) this.#switches.add(name);
    else this.#switches.delete(name);
  }

  /** Begins to write, or goes on in a file that somebody has put in place of the one before. */
  turnOn(): Result<void, string> {
    this.turnOff();
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      // Whoever can write to the directory could otherwise have us write anywhere.
      const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
      this.#file = openSync(this.#path, flags | constants.O_NOFOLLOW, 0o600);
      this.#size = statSync(this.#path).size;
      return ok(undefined);
    } catch (error) {
      return fail(`the log ${this.#path} cannot be opened: ${reasonOf(error)}`);
    }
  }

  turnOff(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  /** Writes to another file from now on; the log stays on, or off. */
  move(path: string): Result<void, string> {
    this.#path = path;
    return this.on ? this.turnOn() : ok(undefined);
  }

  connected(connection: ConnectionId, domain: DomainId): void {
    if (this.#switches.has('obj')) this.#write(connection, domain, 'is connected');
  }

  disconnected(connection: ConnectionId, domain: DomainId | undefined): void {
    if (this.#switches.has('obj')) this.#write(connection, domain, 'is gone');
  }

  received(connection: ConnectionId, domain: DomainId | undefined, packet: Packet): void {
    this.#write(connection, domain, `in  ${requestText(packet)}`);
  }

  sent(connection: ConnectionId, domain: DomainId | undefined, packet: Packet): void {
    this.#write(connection, domain, `out ${replyText(packet)}`);
  }

  #write(connection: ConnectionId, domain: DomainId | undefined, text: string): void {
    if (this.#file === null) return;
    const who = `domain ${domain ?? '-'} connection ${connection}`;
    try {
      this.#size += writeSync(this.#file, `${new Date().toISOString()} ${who} ${text}\n`);
      if (this.#size < sizeMax) return;
      renameSync(this.#path, `${this.#path}.1`);
      const reopened = this.turnOn();
      if (!reopened.ok) this.#onTrouble(reopened.error);
    } catch (error) {
      this.turnOff();
      this.#onTrouble(`the log ${this.#path} cannot be written and is off: ${reasonOf(error)}`);
    }
  }
}

function nameOf({ type, transactionId }: Packet): string {
  const name = messageName(type) ?? `type ${type}`;
  return transactionId === 0 ? name : `${name} (transaction ${transactionId})`;
}

function requestText(packet: Packet): string {
  const { type, payload } = packet;
  const end = payload.indexOf(0);
  if (type === messageTypes.WRITE && end >= 0)
    return `${nameOf(packet)} ${printable(payload.subarray(0, end))} ${payload.length - end - 1} bytes`;
  return `${nameOf(packet)} ${printable(payload)}`.trimEnd();
}

function replyText(packet: Packet): string {
  const { type, payload } = packet;
  if (type === messageTypes.ERROR || type === messageTypes.WATCH_EVENT)
    return `${nameOf(packet)} ${printable(payload)}`.trimEnd();
  return `${nameOf(packet)} ${payload.length} bytes`;
}

/** Strings with a space between them; what is not printable as `\x0a`, so that a line stays one. */
function printable(payload: Uint8Array): string {
  const text = textOf(payload.subarray(0, contentMax))
    .replace(/\0$/, '')
    .replaceAll('\0', ' ')
    .replaceAll(
      /[^\x20-\x7e]/g,
      (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
  return payload.length > contentMax ? `${text}...` : text;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
