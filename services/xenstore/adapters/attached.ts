import type { Result } from '../../../base/result.ts';
import type { XenstoreError } from '../core/error.ts';
import type { DomainId } from '../core/permissions.ts';
import type { Packet } from '../core/wire.ts';
import type { SocketLink } from '../migration/image.ts';
import type { RingKeeper } from '../rings/keeper.ts';
import type { RingPlace } from '../rings/place.ts';
import type { ServerRingState } from '../rings/server-state.ts';

export type { RingPlace } from '../rings/place.ts';

/** What the daemon and its transports are to each other. */

/**
 * How the daemon reaches one client. Nothing is called again after the client was disconnected. No call
 * may call the daemon back before it has returned: what is due then is done later.
 */
export interface Peer {
  /** What is sent leaves later, after `leaving`. */
  send(packet: Packet): void;
  /** No more of its requests are to be given, or they may be again. */
  hold?(held: boolean): void;
  /** It is served no longer. */
  close?(): void;
  /**
   * How another process goes on with it, which has its descriptor after this one. Asked for once, as
   * the last thing; null where it ends with this process.
   */
  handOver?(): SocketLink | null;
}

/** What a transport holds of a client that it connected. */
export interface Attached {
  /** The payload's bytes are the caller's again when it returns. */
  request(packet: Packet): void;
  /** Whether anybody waits until the client has taken what was sent: then tell by `taken`. */
  readonly awaited: boolean;
  /** The client has taken so many more of the packets that were sent to it. */
  taken(packets: number): void;
  /** To be called before anything that was sent leaves: what has brought it about is kept first. */
  leaving(): void;
  disconnect(): void;
}

/** How the daemon reaches a domain by its ring. */
export interface RingPeer extends Peer {
  hold(held: boolean): void;
  close(): void;
  /** The ring has another event channel, and starts anew: `ServerRing.reset`. */
  rebind(port: number): void;
  /** What has to be known to go on with it in another process: `ServerRing.state`. */
  state(): ServerRingState;
  /** This process's port of the event channel, for a process that has the descriptor after it. */
  readonly boundPort: number;
}

/**
 * What a transport holds of a ring. It is the `keeper` of its `ServerRing`, which tells it of resets
 * and faults: the transport only gives the requests of each turn, all of them at once, even if the
 * domain is held meanwhile, and says what the domain has taken.
 */
export interface AttachedRing extends Attached, RingKeeper {}

/** Where another process has left off with a ring. */
export interface RingLeft {
  readonly state: ServerRingState;
  /**
   * Its event channel is bound still, as this port of the descriptor that was handed over; null where
   * it has to be bound again.
   */
  readonly boundPort: number | null;
  /** No requests are to be taken for now. */
  readonly held: boolean;
}

/** What the hypervisor does for a xenstored: rings of domains, and which domains there are. */
export interface Rings {
  /** Whether the hypervisor has this domain. */
  exists(domain: DomainId): boolean;
  /**
   * Maps the ring of a domain, shows it these features and binds its event channel. Nothing of
   * `attached` may be called before this has returned, nor after a failure. With `left` it goes on
   * where another process has been killed, or has handed over; a first `flush` is due then.
   */
  map(
    place: RingPlace,
    attached: AttachedRing,
    left: RingLeft | null,
  ): Result<RingPeer, XenstoreError>;
  /** The descriptor of the event channels, to be open still in the process that is handed over to. */
  readonly descriptor?: number;
}
