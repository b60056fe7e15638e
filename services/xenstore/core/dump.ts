import type { ConnectionId, DomainDump } from './domain.ts';
import type { FairnessDump } from './fairness.ts';
import type { Question } from './input.ts';
import type { Quotas } from './quota.ts';
import type { SessionsDump } from './sessions.ts';
import type { Generation, Node } from './tree.ts';
import type { Packet } from './wire.ts';

/**
 * Everything that a store knows, as plain data: a store that is made of it behaves in every respect as
 * the one that it was taken from. Trees are shared with that store, and are never changed; all else is
 * copied, so that a dump can be written down while the store goes on.
 */
export interface StoreDump extends SessionsDump, FairnessDump {
  readonly top: Node;
  /** The newest one of any tree. */
  readonly generation: Generation;
  readonly nextTicket: number;
  /** An input `second` is on its way. */
  readonly awake: boolean;
  /** What new domains get. */
  readonly quotas: Quotas;
  readonly domains: readonly DomainDump[];
  readonly waiting: readonly WaitingDump[];
}

/** A request that waits for the answer to a question: see `StoreDump`. */
interface WaitingDump {
  readonly ticket: number;
  readonly connection: ConnectionId;
  readonly packet: Packet;
  readonly question: Question;
}
