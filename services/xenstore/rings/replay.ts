import { assert } from '../../../base/assert.ts';
import type { Packet } from '../core/wire.ts';
import { PacketAssembler } from './assembler.ts';
import { advance } from './ends.ts';
import type { RingFault } from './layout.ts';
import { Outbox } from './outbox.ts';
import type { ServerRingState } from './server-state.ts';

/**
 * A ring as it was, without its page: repeats what a `ServerRing` has told its keeper, and what was sent,
 * and so comes to the state in which that one was. What of it is in the page the page itself shows.
 */
export class RingReplay {
  readonly #assembler: PacketAssembler;
  readonly #outbox: Outbox;
  #consumed: number;
  #consumedBefore: number;
  #produced: number;
  #ended: number;
  #fault: RingFault | null;
  #resetting: ServerRingState['resetting'];

  constructor(state: ServerRingState) {
    this.#assembler = new PacketAssembler(state.received);
    this.#outbox = new Outbox(state.unsent);
    this.#consumed = state.consumed;
    this.#consumedBefore = state.consumedBefore;
    this.#produced = state.produced;
    this.#ended = state.ended;
    this.#fault = state.fault;
    this.#resetting = state.resetting;
  }

  /** These bytes were taken out of the page; returns the requests that they end. */
  received(bytes: Uint8Array): readonly Packet[] {
    let at = 0;
    const read = (target: Uint8Array) => {
      target.set(bytes.subarray(at, at + target.length));
      at += target.length;
    };
    this.#consumedBefore = this.#consumed;
    this.#consumed = advance(this.#consumed, bytes.length);
    return this.#assembler.take({ read }, bytes.length, Number.POSITIVE_INFINITY).packets;
  }

  send(packet: Packet): void {
    if (this.#fault === null) this.#outbox.push(packet);
  }

  /** So many packets were wholly in the page. */
  taken(packets: number): void {
    const before = Math.min(packets, this.#ended);
    this.#ended -= before;
    const length = this.#outbox.lengthOf(packets - before);
    assert(length !== null, 'what was taken was sent');
    this.#outbox.skip(length);
    this.#produced = advance(this.#produced, length);
  }

  /** It began anew; `ready` says that the page shows it. */
  reset(wish: NonNullable<ServerRingState['resetting']>): void {
    this.#forget();
    this.#fault = null;
    this.zeroed();
    this.#resetting = wish;
  }

  ready(): void {
    this.#resetting = null;
  }

  zeroed(): void {
    this.#consumed = 0;
    this.#consumedBefore = 0;
    this.#produced = 0;
  }

  broken(fault: RingFault): void {
    this.#forget();
    this.#fault = fault;
  }

  /** Where it stands now. */
  state(): ServerRingState {
    return {
      received: this.#assembler.begun(),
      unsent: this.#outbox.unsent(),
      consumed: this.#consumed,
      consumedBefore: this.#consumedBefore,
      produced: this.#produced,
      ended: this.#ended,
      fault: this.#fault,
      resetting: this.#resetting,
    };
  }

  #forget(): void {
    this.#assembler.clear();
    this.#outbox.clear();
    this.#ended = 0;
  }
}
