import { milliseconds } from '../../../base/units.ts';
import { storeBounds } from '../../kv/bounds.ts';
import type { Store } from '../../kv/store.ts';
import type { Revision } from '../../kv/version.ts';
import type { Clock } from '../../ports.ts';
import type { EtcdMember } from './member.ts';
import { nextTurn } from './turns.ts';

/** How often what was compacted is freed, a turn's worth at a time. */
const freeInterval = milliseconds(100);

/** Frees all that was compacted, in turns, so that calls are served in between. */
export async function freeCompacted(store: Store): Promise<void> {
  while (store.trim(storeBounds.trimPerTurn)) await nextTurn();
}

/** How often the leader looks whether the history has grown too long. */
const compactInterval = milliseconds(1000);

/** How much longer than asked for the history may grow: a compaction is a command in the log. */
const slack = 1.25;

/**
 * Keeps the history in bounds: the leader has it compacted to `retain` revisions when it is a quarter
 * longer (0: never), and every member frees what was compacted. Returns what stops it.
 */
export function keepHouse(member: EtcdMember, clock: Clock, retain: number): () => void {
  const { store, replica } = member;
  let underWay = false;
  const compact = async () => {
    const isLong = store.revision - store.compacted > slack * retain;
    if (retain === 0 || !isLong || underWay || replica.status().role !== 'leader') return;
    underWay = true;
    // What fails now is tried again at the next look.
    await member.propose<'compact'>({
      kind: 'compact',
      revision: (store.revision - retain) as Revision,
    });
    underWay = false;
  };
  const stops = [
    clock.every(freeInterval, () => void store.trim(storeBounds.trimPerTurn)),
    clock.every(compactInterval, () => void compact()),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
