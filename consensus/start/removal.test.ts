import test from 'ava';
import type { Milliseconds } from '../../base/units.ts';
import type { MembersAnswer } from '../adapters/peers/ask-members.ts';
import { type Configuration, configurationOf } from '../core/configuration.ts';
import { logIndex, type MemberId, memberId, term } from '../core/ids.ts';
import type { Clock } from '../ports.ts';
import type { ReplicaStatus } from '../replica.ts';
import { watchRemoval } from './removal.ts';

const [self, other] = [1, 2].map(memberId);

/** Time that passes look by look. */
class LookClock implements Pick<Clock, 'every'> {
  #looks = new Set<() => void>();

  every(_interval: Milliseconds, callback: () => void): () => void {
    this.#looks.add(callback);
    return () => this.#looks.delete(callback);
  }

  /** Lets so many intervals pass, and what was asked be answered. */
  async pass(count: number): Promise<void> {
    for (let look = 0; look < count; look += 1) {
      for (const callback of this.#looks) callback();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

function of(...members: readonly (MemberId | undefined)[]): Configuration {
  const ids = members.filter((member) => member !== undefined);
  const addresses = ids.map((member) => ({ member, peers: [`h${member}:1`] }));
  return { ...configurationOf(ids), addresses };
}

function answer(isCurrent: boolean, ids: readonly number[], pool = 'p'): MembersAnswer {
  const members = ids.map((id) => ({
    id,
    peers: [`h${id}:1`],
    isLearner: false,
    hasStarted: true,
    name: `m${id}`,
  }));
  return { address: 'h2:1', pool, isCurrent, members };
}

function watched(configuration: Configuration, answers: readonly MembersAnswer[] = []) {
  const clock = new LookClock();
  const seen = { asked: [] as (readonly string[])[], removed: 0, foreign: [] as string[] };
  let listener = (_status: ReplicaStatus) => {};
  let status: ReplicaStatus = {
    member: memberId(1),
    leader: memberId(2),
    role: 'follower',
    term: term(1),
    commitIndex: logIndex(5),
    appliedIndex: logIndex(5),
    configuration,
    configurationIndex: logIndex(3),
    committedConfiguration: configuration,
    disk: 'good',
    removed: false,
  };
  const stop = watchRemoval({
    self: memberId(1),
    pool: 'p',
    replica: {
      status: () => status,
      onStatus: (told) => {
        listener = told;
        return () => {
          listener = () => {};
        };
      },
    },
    clock,
    addresses: ['first:1'],
    ask: async (addresses) => {
      seen.asked.push(addresses);
      return answers;
    },
    removed: () => {
      seen.removed += 1;
    },
    foreign: (pool) => seen.foreign.push(pool),
  });
  const change = (changes: Partial<ReplicaStatus>) => {
    status = { ...status, ...changes };
    listener(status);
  };
  return { clock, seen, change, stop };
}

test('a member with a leader asks nobody', async (t) => {
  const { clock, seen } = watched(of(self, other), [answer(true, [2])]);
  await clock.pass(10);
  t.deepEqual(seen, { asked: [], removed: 0, foreign: [] });
});

test('a removal that reached the log counts at once', async (t) => {
  const { clock, seen, change } = watched(of(self, other));
  change({ configuration: of(other), removed: true });
  t.is(seen.removed, 1);
  await clock.pass(5);
  t.is(seen.removed, 1);
});

test('a member that joins reads of times before it was one', async (t) => {
  const { clock, seen, change } = watched(of(), [answer(true, [1, 2])]);
  change({ configuration: of(other) });
  await clock.pass(10);
  change({ configuration: of(other, self), configurationIndex: logIndex(4) });
  await clock.pass(10);
  t.is(seen.removed, 0);
});

test('without a leader a member asks, and believes only what a majority has just confirmed', async (t) => {
  const stale = watched(of(self, other), [answer(false, [2])]);
  stale.change({ leader: null });
  await stale.clock.pass(3);
  t.deepEqual(stale.seen.asked, [], 'an election is shorter');
  await stale.clock.pass(3);
  t.deepEqual(stale.seen.asked[0], ['h2:1']);
  t.is(stale.seen.removed, 0);

  const gone = watched(of(self, other), [answer(false, [1, 2]), answer(true, [2])]);
  gone.change({ leader: null });
  await gone.clock.pass(5);
  t.is(gone.seen.removed, 1);
  await gone.clock.pass(5);
  t.is(gone.seen.removed, 1);
});

test('one that was removed before it had received anything asks where it was told to', async (t) => {
  const { clock, seen, change } = watched(of(), [answer(true, [2])]);
  change({ leader: null });
  await clock.pass(5);
  t.deepEqual(seen.asked[0], ['first:1']);
  t.is(seen.removed, 1);
});

test('a pool that has gone on under another name is told of, and is no removal', async (t) => {
  const { clock, seen, change, stop } = watched(of(self, other), [answer(true, [2], 'q')]);
  change({ leader: null });
  await clock.pass(4);
  t.deepEqual(seen.foreign, ['q']);
  t.is(seen.removed, 0);
  stop();
  await clock.pass(5);
  t.is(seen.asked.length, 1);
});
