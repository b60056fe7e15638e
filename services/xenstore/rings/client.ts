import { type Bytes, bytes } from '../../../base/units.ts';
import type { Packet } from '../core/wire.ts';
import { PacketAssembler } from './assembler.ts';
import { RingReader, RingWriter } from './ends.ts';
import {
  connectionStates,
  fields,
  requestQueue,
  responseQueue,
  ringFaults,
  ringFeatures,
} from './layout.ts';
import { Outbox } from './outbox.ts';
import type { RingPage } from './page.ts';

/** What a guest may have waiting for room in the page; `send` refuses beyond it. */
export const unsentRequestsMax: Bytes = bytes(2 ** 20);

/** What a guest finds in its page. */
export type Received =
  /** These replies and events, in order. */
  | { readonly kind: 'packets'; readonly packets: readonly Packet[] }
  /** A reconnection is in progress: nothing can be sent or received until the server has ended it. */
  | { readonly kind: 'reconnecting' }
  /** The reconnection has ended: no request, watch or transaction is left of the old connection. */
  | { readonly kind: 'reconnected' }
  /** The connection is over: `error` is the field's value, of which there may be new ones. */
  | { readonly kind: 'broken'; readonly error: number };

/**
 * The guest's end of its ring, as a state machine. At an event of the channel: `receive`, then
 * `flush`. It believes the server no more than the server believes it.
 */
export class ClientRing {
  readonly #page: RingPage;
  readonly #notify: () => void;
  readonly #assembler = new PacketAssembler();
  readonly #outbox = new Outbox();
  #requests: RingWriter;
  #responses: RingReader;
  #state: 'connected' | 'reconnecting' | 'broken' = 'connected';
  #error = 0;
  #owesNotice = false;

  /** `notify` signals the event channel, and is a full barrier. */
  constructor(page: RingPage, notify: () => void) {
    this.#page = page;
    this.#notify = notify;
    this.#requests = new RingWriter(page, requestQueue);
    this.#responses = new RingReader(page, responseQueue);
    if (this.#isReconnecting()) this.#state = 'reconnecting';
  }

  /** Whether requests can be sent. */
  get state(): 'connected' | 'reconnecting' | 'broken' {
    return this.#state;
  }

  /** What the server offers: the bits of the feature field. */
  get features(): number {
    return this.#page.load(fields.features);
  }

  /** Sends a request once there is room; false, without sending it, where too much waits already. */
  send(packet: Packet): boolean {
    if (this.#state !== 'connected' || this.#outbox.length >= unsentRequestsMax) return false;
    this.#outbox.push(packet);
    return true;
  }

  /** Puts what waits into the page as far as there is room, and tells the server of what changed. */
  flush(): void {
    if (this.#state !== 'connected') return;
    if (this.#outbox.length > 0) {
      const room = this.#requests.room();
      if (room === null) {
        this.#break(ringFaults.indexes);
        return;
      }
      if (room > 0) {
        this.#outbox.flush(this.#requests, room);
        this.#requests.commit();
        this.#owesNotice = true;
      }
    }
    if (!this.#owesNotice) return;
    this.#owesNotice = false;
    this.#notify();
  }

  /** Takes what has arrived. */
  receive(): Received {
    if (this.#state === 'reconnecting') return this.#awaitReconnection();
    const error = this.#offers(ringFeatures.error) ? this.#page.load(fields.error) : 0;
    if (error !== 0) this.#break(error);
    if (this.#state === 'broken') return { kind: 'broken', error: this.#error };
    const available = this.#responses.available();
    if (available === null) return this.#break(ringFaults.indexes);
    const taken = this.#assembler.take(this.#responses, available, Number.POSITIVE_INFINITY);
    if (taken.tooLong) return this.#break(ringFaults.protocol);
    if (taken.read > 0) {
      this.#responses.commit();
      this.#owesNotice = true;
    }
    return { kind: 'packets', packets: taken.packets };
  }

  /** Asks the server for a new beginning; false where it does not offer that. */
  reconnect(): boolean {
    if (!this.#offers(ringFeatures.reconnection)) return false;
    this.#state = 'reconnecting';
    this.#forget();
    this.#page.store(fields.connection, connectionStates.reconnect);
    this.#notify();
    return true;
  }

  #awaitReconnection(): Received {
    if (this.#isReconnecting()) return { kind: 'reconnecting' };
    this.#forget();
    this.#requests = new RingWriter(this.#page, requestQueue);
    this.#responses = new RingReader(this.#page, responseQueue);
    this.#state = 'connected';
    return { kind: 'reconnected' };
  }

  #isReconnecting(): boolean {
    if (!this.#offers(ringFeatures.reconnection)) return false;
    return this.#page.load(fields.connection) === connectionStates.reconnect;
  }

  #offers(feature: number): boolean {
    return (this.features & feature) !== 0;
  }

  #forget(): void {
    this.#assembler.clear();
    this.#outbox.clear();
    this.#owesNotice = false;
  }

  #break(error: number): Received {
    this.#state = 'broken';
    this.#error = error;
    this.#forget();
    return { kind: 'broken', error };
  }
}
