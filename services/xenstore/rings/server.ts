import { type Bytes, bytes } from '../../../base/units.ts';
import type { Packet } from '../core/wire.ts';
import { PacketAssembler, type Taken } from './assembler.ts';
import { distance, RingReader, RingWriter } from './ends.ts';
import { keepsNothing, type RingKeeper } from './keeper.ts';
import { type RingFault, requestQueue, responseQueue, ringLength } from './layout.ts';
import { Outbox } from './outbox.ts';
import type { RingPage } from './page.ts';
import { ServerFields } from './server-fields.ts';
import type { ServerRingState } from './server-state.ts';

/** Requests that one turn takes, unless it is told otherwise: then other clients have theirs. */
export const requestsPerTurn = 16;

/** Above this much unsent, no request is taken until the guest has taken some of it (XSA-326). */
export const unsentPause: Bytes = bytes(64 * 2 ** 10);

/** A guest that leaves this much unsent is served no longer: events for it would pile up. */
export const unsentMax: Bytes = bytes(4 * 2 ** 20);

/** What a turn has found in the page. */
export type Turn =
  /** These requests, in order; where there is more, another turn is due without an event. */
  | { readonly kind: 'requests'; readonly packets: readonly Packet[]; readonly more: boolean }
  /** The guest wanted the connection anew: nothing of the old one is left but itself. */
  | { readonly kind: 'reset' }
  /** The guest is served no longer, until it asks for a reset. Found once, then `silent`. */
  | { readonly kind: 'broken'; readonly fault: RingFault }
  | { readonly kind: 'silent' };

/** How a ring is served. */
export interface ServerRingOptions {
  /** What is offered to the guest: `ringFeatures` and features of messages. */
  readonly features: number;
  /** Signals the event channel. The signal is a full barrier: hypercalls are. */
  readonly notify: () => void;
  /** Where another process has left off. */
  readonly state?: ServerRingState;
  /** Without one, the connection ends with the process. */
  readonly keeper?: RingKeeper;
}

/**
 * The server's end of a guest's ring, as a state machine. It trusts nothing of the page: no content of
 * it makes this throw, read or write outside of the two buffers and the fields, or take a byte twice.
 * At an event of the channel: `flush`, then `turn`, then, when the requests were handled, `flush`.
 */
export class ServerRing {
  readonly #page: RingPage;
  readonly #fields: ServerFields;
  readonly #notify: () => void;
  readonly #assembler: PacketAssembler;
  readonly #outbox: Outbox;
  readonly #keeper: RingKeeper;
  /** What a turn takes: never more than there is in the buffer. */
  readonly #taken = new Uint8Array(ringLength);
  #requests: RingReader;
  #responses: RingWriter;
  #fault: RingFault | null = null;
  /** The guest is to be told that there is room again. */
  #owesNotice = false;
  /** A fault was found outside of a turn; the next one tells it. */
  #untold = false;
  /** Packets that the page had already when this process began, and that nobody was told of. */
  #ended = 0;

  /**
   * Begins with the page as it is. After a restart of the server that is in the middle, and `state`
   * says where: the page is put right where the other process was killed before it could, and the
   * next `flush` signals the guest in any case, for a signal may have been lost.
   */
  constructor(page: RingPage, options: ServerRingOptions) {
    const { features, notify, state, keeper = keepsNothing } = options;
    this.#page = page;
    this.#fields = new ServerFields(page, features);
    this.#notify = notify;
    this.#keeper = keeper;
    this.#assembler = new PacketAssembler(state?.received);
    this.#outbox = new Outbox(state?.unsent);
    this.#requests = new RingReader(page, requestQueue, state?.consumed);
    this.#responses = new RingWriter(page, responseQueue, state?.produced);
    if (state === undefined) this.#fields.offer();
    else this.#resume(state);
  }

  /** Why the guest is not served; null while it is. */
  get fault(): RingFault | null {
    return this.#fault;
  }

  /** Whether what was sent waits for room. */
  get congested(): boolean {
    return this.#outbox.length > 0;
  }

  /** What another process has to know to go on, copied; to be asked for between two turns. */
  state(): ServerRingState {
    const consumed = this.#requests.cursor;
    return {
      received: this.#assembler.begun(),
      unsent: this.#outbox.unsent(),
      consumed,
      consumedBefore: consumed,
      produced: this.#responses.cursor,
      ended: this.#ended,
      fault: this.#fault,
      resetting: null,
    };
  }

  /** Takes up to `limit` requests out of the page. At most what fits in the page is ever taken. */
  turn(limit: number = requestsPerTurn): Turn {
    if (this.#fields.wantsReset()) {
      this.#keeper.reset();
      this.reset();
      return { kind: 'reset' };
    }
    if (this.#untold && this.#fault !== null) return this.#tell(this.#fault);
    if (this.#fault !== null) return { kind: 'silent' };
    if (this.#outbox.length > unsentMax) return this.#tell('communication');
    if (this.#outbox.length > unsentPause) return { kind: 'requests', packets: [], more: false };
    if (this.#isZeroed()) this.#goOnAtZero();
    const available = this.#requests.available();
    if (available === null || this.#responses.room() === null) return this.#tell('indexes');
    const { packets, read, left, tooLong } = this.#take(available, limit);
    if (read > 0) {
      this.#keeper.received(this.#taken.subarray(0, read));
      this.#requests.commit();
      this.#owesNotice = true;
    }
    // What came before the packet that is too long is a request like any other.
    if (tooLong && packets.length === 0) return this.#tell('protocol');
    if (tooLong) this.fail('protocol');
    // A guest that wrote more before it could see that its bytes were taken has not signalled that
    // (Linux's xb_write): so the page is looked at again, now that it shows it.
    const more = tooLong || left > 0 || (read > 0 && this.#requests.available() !== 0);
    return { kind: 'requests', packets, more };
  }

  /** Sends a reply or an event, once there is room for it. Nothing is sent to a guest not served. */
  send(packet: Packet): void {
    if (this.#fault === null) this.#outbox.push(packet);
  }

  /**
   * Puts what waits into the page as far as there is room, and tells the guest of what has changed
   * since the last time. Returns how many packets are wholly in the page now, that were not before.
   */
  flush(): number {
    if (this.#fault !== null || this.#fields.wantsReset()) return 0;
    let ended = this.#ended;
    this.#ended = 0;
    if (this.#outbox.length > 0) {
      this.#keeper.leaving();
      if (this.#isZeroed()) this.#goOnAtZero();
      const room = this.#responses.room();
      if (room === null) {
        this.fail('indexes');
        return 0;
      }
      if (this.#outbox.length - room > unsentMax) {
        this.fail('communication');
        return 0;
      }
      ended += this.#fill(room);
    }
    if (this.#owesNotice) {
      this.#owesNotice = false;
      this.#notify();
    }
    return ended;
  }

  /**
   * Puts as much into the page as there is room for, of which there may be more in the meantime: a guest
   * that took something while the page was not full has not signalled that (Linux's xb_read).
   */
  #fill(room: number): number {
    let ended = 0;
    for (let left = room; left > 0 && this.#outbox.length > 0; left = this.#responses.room() ?? 0) {
      ended += this.#outbox.flush(this.#responses, left);
      this.#responses.commit();
      this.#owesNotice = true;
    }
    return ended;
  }

  /** Serves the guest no longer, and shows it why; the next turn tells it too. Not within `send`. */
  fail(fault: RingFault): void {
    if (this.#fault !== null) return;
    this.#keeper.broken(fault);
    this.#fault = fault;
    this.#untold = true;
    this.#forget();
    this.#fields.showFault(fault);
    this.#notify();
  }

  /**
   * Begins anew with two empty buffers, as the guest asks for by the connection state, or the control
   * domain by introducing the guest again. Of the latter the keeper knows.
   */
  reset(): void {
    this.#forget();
    this.#fault = null;
    this.#untold = false;
    this.#fields.empty();
    this.#beginAtZero();
    this.#fields.showConnected();
    this.#keeper.ready();
    this.#notify();
  }

  #resume({ consumed, consumedBefore, produced, ended, fault, resetting }: ServerRingState): void {
    this.#owesNotice = true;
    // What the guest wants is done when the page no longer says so, and by the next turn otherwise.
    if (resetting === 'of an introduction' && !this.#fields.wantsReset()) {
      this.reset();
      return;
    }
    if (fault !== null) {
      this.#fault = fault;
      this.#fields.showFault(fault);
      return;
    }
    this.#fields.offer();
    // An index that is neither where it was nor where it would be now is the guest's doing, and is
    // found by the next turn.
    if (this.#page.load(requestQueue.consumer) === consumedBefore)
      this.#page.store(requestQueue.consumer, consumed);
    this.#ended = ended;
    const there = distance(produced, this.#page.load(responseQueue.producer));
    if (there > this.#outbox.length) return;
    this.#ended += this.#outbox.skip(there);
    this.#responses = new RingWriter(this.#page, responseQueue, (produced + there) >>> 0);
  }

  /** Takes requests out of the page, and their bytes into `#taken` as well. */
  #take(available: number, limit: number): Taken {
    let length = 0;
    const read = (target: Uint8Array) => {
      this.#requests.read(target);
      this.#taken.set(target, length);
      length += target.length;
    };
    return this.#assembler.take({ read }, available, limit);
  }

  #tell(fault: RingFault): Turn {
    this.fail(fault);
    this.#untold = false;
    return { kind: 'broken', fault };
  }

  #forget(): void {
    this.#assembler.clear();
    this.#outbox.clear();
    this.#ended = 0;
    this.#owesNotice = false;
  }

  /**
   * Whether the guest has zeroed the page between two packets. hvmloader does, for the kernel that it
   * starts (tools/firmware/hvmloader/xenbus.c): to a guest that is a ring as if never used.
   */
  #isZeroed(): boolean {
    if (this.#assembler.partial || this.#outbox.partial) return false;
    if (this.#requests.available() !== null && this.#responses.room() !== null) return false;
    return this.#fields.areZeroed();
  }

  #goOnAtZero(): void {
    this.#keeper.zeroed();
    this.#beginAtZero();
  }

  #beginAtZero(): void {
    this.#requests = new RingReader(this.#page, requestQueue, 0);
    this.#responses = new RingWriter(this.#page, responseQueue, 0);
    this.#fields.offer();
  }
}
