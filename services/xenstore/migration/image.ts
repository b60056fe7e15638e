import type { ConnectionId } from '../core/domain.ts';
import type { StoreDump } from '../core/dump.ts';
import type { UnsentBytes } from '../rings/outbox.ts';
import type { RingPlace } from '../rings/place.ts';
import type { ServerRingState } from '../rings/server-state.ts';

/** A xenstored, to be written down and to be made again: the store, and how everybody is connected. */
export interface Image {
  readonly store: StoreDump;
  /** The number of the next connection; all before are never used again. */
  readonly nextConnection: ConnectionId;
  readonly links: ReadonlyMap<ConnectionId, Link>;
  /** Descriptors of the process that has written this; null where there is none. */
  readonly listening: number | null;
  readonly eventChannels: number | null;
}

/** How a connection is made. Those that are not listed end with the process. */
export type Link = SocketLink | RingLink;

/** A client of a Unix socket; it lives as long as the descriptor, which an `exec` may pass on. */
export interface SocketLink {
  readonly kind: 'socket';
  readonly descriptor: number;
  /** Read and not handled. */
  readonly received: Uint8Array;
  readonly unsent: UnsentBytes;
}

/** A ring, which outlives every process. */
export interface RingLink {
  readonly kind: 'ring';
  readonly place: RingPlace;
  /** This process's port of the event channel. */
  readonly boundPort: number;
  readonly state: ServerRingState;
}
