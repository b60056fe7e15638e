import {
  connectionStates,
  fields,
  type RingFault,
  requestQueue,
  responseQueue,
  ringFaults,
  ringFeatures,
} from './layout.ts';
import type { RingPage } from './page.ts';

/** What the server and the guest tell each other in the page beside its two buffers. */
export class ServerFields {
  readonly #page: RingPage;
  readonly #features: number;

  /** `features`: what the guest is offered. */
  constructor(page: RingPage, features: number) {
    this.#page = page;
    this.#features = features;
  }

  /** Shows what is offered, and that nothing is wrong. */
  offer(): void {
    if (this.#offers(ringFeatures.error)) this.#page.store(fields.error, 0);
    this.#page.store(fields.features, this.#features);
  }

  /** Shows why the guest is served no longer. */
  showFault(fault: RingFault): void {
    if (this.#offers(ringFeatures.error)) this.#page.store(fields.error, ringFaults[fault]);
  }

  /** Whether the guest wants the connection anew. */
  wantsReset(): boolean {
    if (!this.#offers(ringFeatures.reconnection)) return false;
    return this.#page.load(fields.connection) === connectionStates.reconnect;
  }

  /** Shows that the guest is connected anew. */
  showConnected(): void {
    if (this.#offers(ringFeatures.reconnection))
      this.#page.store(fields.connection, connectionStates.connected);
  }

  /** Empties both buffers. */
  empty(): void {
    for (const { consumer, producer } of [requestQueue, responseQueue]) {
      this.#page.store(consumer, 0);
      this.#page.store(producer, 0);
    }
  }

  /** Whether the guest has zeroed all indexes but the one of what it asks. */
  areZeroed(): boolean {
    const zeroed = [requestQueue.consumer, responseQueue.consumer, responseQueue.producer];
    return zeroed.every((offset) => this.#page.load(offset) === 0);
  }

  #offers(feature: number): boolean {
    return (this.#features & feature) !== 0;
  }
}
