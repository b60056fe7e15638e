import { ok, type Result } from '../../../base/result.ts';
import type { HypervisorError } from '../../../hypervisor/port.ts';
import type { EventChannel, SharedPage } from '../../../hypervisor/xenstore-port.ts';
import type { Packet } from '../core/wire.ts';
import {
  connectionStates,
  fields,
  type RingFault,
  requestQueue,
  responseQueue,
} from '../rings/layout.ts';
import { MemoryPage, type RingPage } from '../rings/page.ts';
import { requestsPerTurn, ServerRing } from '../rings/server.ts';
import type { ServerRingState } from '../rings/server-state.ts';
import type { AttachedRing, RingLeft, RingPeer } from './attached.ts';
import type { RingQueue } from './ring-queue.ts';

/** What a ring is served with. */
export interface ServedRingOptions {
  readonly page: SharedPage;
  /** What is offered to the domain in the page. */
  readonly features: number;
  readonly attached: AttachedRing;
  /** Where another process has left off. */
  readonly left: RingLeft | null;
  /** The domain runs already, and may have put requests into its ring. */
  readonly used: boolean;
  readonly queue: RingQueue;
  /** Binds a port of the ring's domain. */
  readonly bind: (port: number, onEvent: () => void) => Result<EventChannel, HypervisorError>;
  readonly onFault: (fault: RingFault) => void;
  readonly onClose: () => void;
}

/** A ring of a domain as a client of the daemon. It is served in turns of a queue, never at once. */
export class ServedRing implements RingPeer {
  readonly #options: ServedRingOptions;
  readonly #ring: ServerRing;
  #channel: EventChannel | null = null;
  #held: boolean;
  /** Its event channel could not be bound. */
  #unreachable = false;
  #closed = false;

  constructor(options: ServedRingOptions) {
    const { page, features, attached, left, used } = options;
    const memory = new MemoryPage(page.memory);
    if (left === null && !used) empty(memory);
    this.#options = options;
    this.#held = left?.held ?? false;
    this.#ring = new ServerRing(memory, {
      features,
      notify: () => this.#channel?.notify(),
      keeper: attached,
      ...(left === null ? {} : { state: left.state }),
    });
  }

  get boundPort(): number {
    return this.#channel?.localPort ?? 0;
  }

  /** Binds the event channel, and has the ring served; one that was bound before is closed. */
  bind(port: number): Result<void, HypervisorError> {
    this.#channel?.unbind();
    this.#channel = null;
    const bound = this.#options.bind(port, () => this.#options.queue.add(this));
    if (!bound.ok) return bound;
    this.#channel = bound.value;
    // A kernel that has waited for xenstore hears of it by this; for others it is one event too much.
    bound.value.notify();
    this.#options.queue.add(this);
    return ok(undefined);
  }

  send(packet: Packet): void {
    this.#ring.send(packet);
    this.#options.queue.sent(this);
  }

  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.#options.queue.add(this);
  }

  rebind(port: number): void {
    this.#unreachable = !this.bind(port).ok;
    this.#ring.reset();
    this.#options.queue.add(this);
  }

  state(): ServerRingState {
    return this.#ring.state();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel?.unbind();
    this.#options.page.unmap();
    this.#options.onClose();
  }

  /** Serves some requests; returns whether there are more. */
  turn(): boolean {
    if (this.#closed) return false;
    // Unmasked before the page is looked at: what is written afterwards brings another event.
    this.#channel?.unmask();
    this.flush();
    if (this.#closed) return false;
    if (this.#unreachable) this.#ring.fail('communication');
    // One that is held gives no requests, but it may begin anew.
    const turn = this.#ring.turn(this.#held ? 0 : requestsPerTurn);
    switch (turn.kind) {
      case 'requests':
        for (const packet of turn.packets)
          if (!this.#closed) this.#options.attached.request(packet);
        return turn.more && !this.#held;
      case 'reset':
        return true;
      case 'broken':
        this.#options.onFault(turn.fault);
        return false;
      case 'silent':
        return false;
    }
  }

  /** Puts what was sent into the page, as far as there is room. */
  flush(): void {
    if (this.#closed) return;
    const { fault } = this.#ring;
    const packets = this.#ring.flush();
    // What is found wrong is told by a turn, which this guest may never signal for.
    if (this.#ring.fault !== fault) this.#options.queue.add(this);
    // Told even if nobody waits for it: that is kept, so that a process that goes on knows it.
    if (packets > 0) this.#options.attached.taken(packets);
  }
}

/**
 * Empties both buffers of a domain that is introduced, and has not run: its page may be that of another
 * life, which was saved.
 */
function empty(page: RingPage): void {
  for (const { consumer, producer } of [requestQueue, responseQueue]) {
    page.store(consumer, 0);
    page.store(producer, 0);
  }
  page.store(fields.connection, connectionStates.connected);
}
