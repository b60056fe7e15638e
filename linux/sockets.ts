import { fail, ok, type Result } from '../base/result.ts';
import { type Calls, calls } from './calls.ts';
import { errorName, interrupted, outcome } from './errno.ts';

/** AF_UNIX, SOCK_STREAM, SOCK_NONBLOCK and SOCK_CLOEXEC of socket(2), alike for x86_64 and aarch64. */
const unixFamily = 1;
const stream = 1;
const nonblocking = 0o4000;
const closeOnExec = 0o2000000;

/** MSG_DONTWAIT and MSG_NOSIGNAL of send(2): who has gone is told by EPIPE, not by a signal. */
const withoutWaiting = 0x40;
const withoutSignal = 0x4000;

/** F_SETFD of fcntl(2); of the flags that it sets there is one, FD_CLOEXEC. */
const setFlags = 2;

/** How many may wait until they are accepted: the queue that Node's servers have. */
const backlog = 511;

/** `sun_path` of unix(7), with the zero at its end. */
const pathMax = 108;

/** A failure of a call, by its name: EADDRINUSE. */
export type ErrnoName = string;

/**
 * Stream sockets by Linux's own calls, for who serves so many requests that what Node's streams do for each
 * counts. What returns a number returns the kernel's, or the errno as one less than 0 (`errno.ts`). No
 * call waits. A descriptor is its owner's: after `close` its number may be another's.
 */
export class Sockets {
  readonly #calls: Calls = calls();

  /** A Unix socket at a path where there is none, not open to clients before `listen`. */
  bind(path: string): Result<number, ErrnoName> {
    const name = Buffer.from(path);
    if (name.length >= pathMax || name.includes(0)) return fail('ENAMETOOLONG');
    const address = Buffer.alloc(2 + name.length + 1);
    address.writeUInt16LE(unixFamily);
    address.set(name, 2);
    const type = stream | nonblocking | closeOnExec;
    const descriptor = outcome(this.#calls.socket(unixFamily, type, 0));
    if (descriptor < 0) return fail(errorName(descriptor));
    const bound = outcome(this.#calls.bind(descriptor, address, address.length));
    if (bound === 0) return ok(descriptor);
    this.close(descriptor);
    return fail(errorName(bound));
  }

  /** Lets clients connect. */
  listen(descriptor: number): Result<void, ErrnoName> {
    const listening = outcome(this.#calls.listen(descriptor, backlog));
    return listening === 0 ? ok(undefined) : fail(errorName(listening));
  }

  /** The descriptor of the next client that has connected. */
  accept(listening: number): number {
    return outcome(this.#calls.accept4(listening, null, null, nonblocking | closeOnExec));
  }

  /** How many bytes have come, into the whole of a buffer; 0 where no more will. */
  receive(descriptor: number, into: Uint8Array): number {
    const taken = outcome(this.#calls.recv(descriptor, into, into.length, withoutWaiting));
    return taken === interrupted ? this.receive(descriptor, into) : taken;
  }

  /** How many of the first bytes the system has taken. */
  send(descriptor: number, from: Uint8Array, length: number): number {
    const flags = withoutWaiting | withoutSignal;
    const taken = outcome(this.#calls.send(descriptor, from, length, flags));
    return taken === interrupted ? this.send(descriptor, from, length) : taken;
  }

  /** Ends a descriptor. */
  close(descriptor: number): void {
    this.#calls.close(descriptor);
  }

  /** Has a descriptor stay open, or not, when this process becomes another program. */
  keepAcrossExec(descriptor: number, kept: boolean): Result<void, ErrnoName> {
    const set = outcome(this.#calls.fcntl(descriptor, setFlags, 'int', kept ? 0 : 1));
    return set === 0 ? ok(undefined) : fail(errorName(set));
  }
}
