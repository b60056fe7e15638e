import { milliseconds } from '../../base/units.ts';
import type { MembersAnswer } from '../adapters/peers/ask-members.ts';
import type { Configuration } from '../core/configuration.ts';
import type { MemberId } from '../core/ids.ts';
import type { Clock } from '../ports.ts';
import type { Replica, ReplicaStatus } from '../replica.ts';

/** How often a member looks whether it still is one. */
const lookInterval = milliseconds(500);

/** Looks in a row at which no leader was known, before the others are asked: longer than elections. */
const looksWithoutLeader = 4;

/** What the watch needs. */
export interface RemovalParts {
  readonly self: MemberId;
  readonly pool: string;
  readonly replica: Pick<Replica<unknown>, 'status' | 'onStatus'>;
  readonly clock: Pick<Clock, 'every'>;
  /** Addresses of others that were given at the start: all there is while the log is empty. */
  readonly addresses: readonly string[];
  /** Asks the members at these addresses who takes part. */
  readonly ask: (addresses: readonly string[]) => Promise<readonly MembersAnswer[]>;
  /** Called once, when it is certain that this member was removed. */
  readonly removed: () => void;
  /** The others belong to a pool that has gone on without this member. */
  readonly foreign: (pool: string) => void;
}

/**
 * Watches whether this member still is one. A removed member learns it from its own log, if the
 * removal still reached it. Otherwise nobody calls it any more: then it asks, and believes who has
 * just had it confirmed by a majority. Returns what ends the watch.
 */
export function watchRemoval(parts: RemovalParts): () => void {
  const { self, pool, replica, clock } = parts;
  let silentLooks = 0;
  let asking = false;
  let ended = false;
  let known = parts.addresses;
  const end = () => {
    ended = true;
    stopListening();
    stopLooking();
  };
  const remove = () => {
    if (ended) return;
    end();
    parts.removed();
  };
  const note = ({ configuration, removed }: ReplicaStatus) => {
    const others = otherAddresses(configuration, self);
    if (others.length > 0) known = others;
    if (removed) remove();
  };
  const ask = async () => {
    asking = true;
    const answers = await parts.ask(known);
    asking = false;
    if (ended) return;
    const own = answers.filter((answer) => answer.pool === pool);
    const current = own.find(({ isCurrent }) => isCurrent);
    if (current !== undefined && !current.members.some(({ id }) => id === self)) remove();
    const foreign = answers.find((answer) => answer.pool !== pool && answer.isCurrent);
    if (own.length === 0 && foreign !== undefined) parts.foreign(foreign.pool);
  };
  const look = () => {
    const status = replica.status();
    note(status);
    if (ended) return;
    silentLooks = status.leader === null ? silentLooks + 1 : 0;
    if (silentLooks >= looksWithoutLeader && !asking && known.length > 0) void ask();
  };
  const stopListening = replica.onStatus(note);
  const stopLooking = clock.every(lookInterval, look);
  note(replica.status());
  return end;
}

function otherAddresses(configuration: Configuration, self: MemberId): readonly string[] {
  return configuration.addresses
    .filter(({ member }) => member !== self)
    .flatMap(({ peers }) => peers);
}
