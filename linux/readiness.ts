import koffi, { type node } from 'koffi';
import { assert } from '../base/assert.ts';
import { type Calls, calls } from './calls.ts';
import { errorName, interrupted, outcome } from './errno.ts';

/** EPOLL_CTL_ADD, _DEL and _MOD, EPOLLIN, _OUT, _ERR and _HUP, EPOLL_CLOEXEC of epoll_ctl(2). */
const added = 1;
const removed = 2;
const changed = 3;
const readable = 1;
const writable = 4;
const broken = 8 | 16;
const closeOnExec = 0o2000000;

/** `struct epoll_event`: x86_64 alone packs it, so that a word of 32 bits is followed by one of 64. */
const packed = process.arch === 'x64';
const eventLength = packed ? 12 : 16;
const dataAt = packed ? 4 : 8;

/** So many are told of in one look; the others in the next. */
const eventsMax = 256;

/** Sets that Node's loop looks at. What it called while the process ends would be the process's crash. */
const watched = new Set<Readiness>();
process.on('exit', () => {
  for (const set of watched) set.close();
});

/** What of a descriptor is looked out for. That its other end is gone always is. */
export interface Interest {
  readonly readable: boolean;
  readonly writable: boolean;
}

/** What a look has found of a descriptor. */
export interface Ready extends Interest {
  /** Its other end is gone, or the connection failed. */
  readonly broken: boolean;
}

/**
 * Which of many descriptors can be read or written, by epoll(7): the cost of a look is by those that are
 * ready. A descriptor is known by a token of its owner, 32 bits, for its number may be another's before
 * all that was found is dealt with. Node's loop looks at the set as at one descriptor.
 */
export class Readiness {
  readonly #calls: Calls = calls();
  readonly #set: number;
  readonly #one = Buffer.alloc(eventLength);
  readonly #events = Buffer.alloc(eventLength * eventsMax);
  #watch: node.PollHandle | null = null;
  #due: NodeJS.Immediate | null = null;

  constructor() {
    const set = outcome(this.#calls.epoll_create1(closeOnExec));
    assert(set >= 0, `epoll_create1: ${set < 0 ? errorName(set) : ''}`);
    this.#set = set;
  }

  add(descriptor: number, token: number, interest: Interest): void {
    this.#control(added, descriptor, token, interest);
  }

  change(descriptor: number, token: number, interest: Interest): void {
    this.#control(changed, descriptor, token, interest);
  }

  remove(descriptor: number): void {
    this.#control(removed, descriptor, 0, { readable: false, writable: false });
  }

  /** Finds what is ready now, without waiting; returns how many, of which `token` and `ready` tell. */
  look(): number {
    const count = outcome(this.#calls.epoll_wait(this.#set, this.#events, eventsMax, 0));
    if (count === interrupted) return 0;
    assert(count >= 0, `epoll_wait: ${count < 0 ? errorName(count) : ''}`);
    return count;
  }

  /** Whose the one is that the last look has found as `index`. */
  token(index: number): number {
    return this.#events.readUInt32LE(index * eventLength + dataAt);
  }

  /** What the last look has found of it. */
  ready(index: number): Ready {
    const found = this.#events.readUInt32LE(index * eventLength);
    return {
      readable: (found & readable) !== 0,
      writable: (found & writable) !== 0,
      broken: (found & broken) !== 0,
    };
  }

  /**
   * Has Node's loop call, among its immediates, whenever anything is ready, until it no longer is. What
   * koffi calls by itself may not throw, and is not followed by what promises have waiting.
   */
  watch(onReady: () => void): void {
    assert(this.#watch === null, 'a set is watched once');
    const ready = () => {
      this.#due = null;
      onReady();
    };
    this.#watch = koffi.node.poll(this.#set, { readable: true }, () => {
      this.#due ??= setImmediate(ready);
    });
    watched.add(this);
  }

  /** Ends the set; the descriptors of it stay open. */
  close(): void {
    watched.delete(this);
    this.#watch?.close();
    if (this.#due !== null) clearImmediate(this.#due);
    this.#calls.close(this.#set);
  }

  #control(operation: number, descriptor: number, token: number, wanted: Interest): void {
    const mask = (wanted.readable ? readable : 0) | (wanted.writable ? writable : 0);
    this.#one.writeUInt32LE(mask);
    this.#one.writeUInt32LE(token, dataAt);
    const done = outcome(this.#calls.epoll_ctl(this.#set, operation, descriptor, this.#one));
    assert(
      done === 0,
      `epoll_ctl ${operation} of ${descriptor}: ${done < 0 ? errorName(done) : ''}`,
    );
  }
}
