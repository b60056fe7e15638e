import test from 'ava';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { type Configuration, configurationOf, majority, majorityIndex } from './configuration.ts';
import type { Entry } from './entry.ts';
import { type LogIndex, logIndex, type MemberId, memberId, term } from './ids.ts';
import { Log } from './log.ts';

test('[R40] the leader hands over once its successor has the whole log', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.propose(1, 'a');
  pool.drop(({ to }) => to === 2);
  pool.settle();
  pool.step(1, { kind: 'transfer', to: memberId(2) });
  t.false(
    pool.messages.some(({ kind }) => kind === 'take-over'),
    'it lacks an entry',
  );
  pool.tick(1, 20);
  pool.settle();
  t.like(pool.raft(2), { role: 'leader', term: term(2) });
  t.is(pool.raft(2).commit, logIndex(3));
});

test('[R41] a successor that does not come forward: the leader goes on', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.step(1, { kind: 'transfer', to: memberId(2) });
  t.like(pool.propose(1, 'a').refusedProposals[0], { reason: 'transferring' });
  pool.drop();
  for (let i = 0; i < 10; i += 1) {
    pool.tick(1, 20);
    pool.settle();
  }
  t.deepEqual(pool.propose(1, 'b').refusedProposals, []);
  t.is(pool.raft(1).role, 'leader');
});

test('[R57] the leadership is handed to a voter only, and to one at a time', (t) => {
  const pool = new CorePool(3, {}, undefined, [memberId(4)]);
  pool.elect(1);
  for (const to of [4, 9, 1]) pool.step(1, { kind: 'transfer', to: memberId(to) });
  t.is(pool.raft(1).leadership?.transfer, null);
  pool.step(1, { kind: 'transfer', to: memberId(2) });
  pool.step(1, { kind: 'transfer', to: memberId(3) });
  t.like(pool.raft(1).leadership?.transfer, { to: memberId(2) });
});

const start = { index: logIndex(0), term: term(0) };
const three: Configuration = configurationOf([1, 2, 3].map(memberId));

function change(index: number, at: number, configuration: Configuration): Entry {
  const payload = { kind: 'configuration', configuration, proposal: null } as const;
  return { index: logIndex(index), term: term(at), payload };
}

test('[R42] the newest configuration in the log is in force, until its entry gives way', (t) => {
  const log = new Log(start, [], { ...start, configuration: three });
  const four: Configuration = configurationOf([1, 2, 3, 4].map(memberId));
  log.append([change(1, 1, four)]);
  t.deepEqual(log.configuration, four);
  t.deepEqual(log.configurationAt(logIndex(0)), three);
  log.merge([{ index: logIndex(1), term: term(2), payload: { kind: 'noop' } }]);
  t.deepEqual(log.configuration, three);
});

test('[R42] a configuration survives the compaction of its entry', (t) => {
  const log = new Log(start, [], { ...start, configuration: three });
  const two: Configuration = configurationOf([1, 2].map(memberId), [memberId(3)]);
  log.append([change(1, 1, two), { index: logIndex(2), term: term(1), payload: { kind: 'noop' } }]);
  log.takeUnwritten();
  log.compact(logIndex(2));
  t.deepEqual(log.configuration, two);
  t.deepEqual(log.configurationAt(logIndex(2)), two);
});

test('[R43] a learner receives the log, and neither votes nor counts', (t) => {
  const learner = memberId(3);
  const pool = new CorePool(2, {}, undefined, [learner]);
  pool.elect(1);
  t.is(pool.raft(3).commit, logIndex(1));
  pool.propose(1, 'a');
  pool.drop(({ to }) => to === 2);
  pool.settle();
  t.is(pool.raft(3).log.lastIndex, logIndex(2));
  t.is(pool.raft(1).commit, logIndex(1), 'the learner’s copy is no majority');
  t.deepEqual(pool.tick(3, 200).messages, []);
});

test('a majority is more than half of the voters', (t) => {
  const of = (voters: number, yes: number): boolean =>
    majority(
      configurationOf(Array.from({ length: voters }, (_, i) => memberId(i + 1))),
      (voter) => voter <= yes,
    );
  t.deepEqual(
    [of(0, 0), of(1, 0), of(1, 1), of(2, 1), of(3, 2), of(4, 2), of(5, 3)],
    [false, false, true, false, true, false, true],
  );
});

test('the majority’s index is the highest that more than half have', (t) => {
  const at = (...matches: readonly number[]): LogIndex => {
    const voters = matches.map((_, i) => memberId(i + 1));
    const matchOf = (voter: MemberId): LogIndex => logIndex(matches[voter - 1] ?? 0);
    return majorityIndex(configurationOf(voters), matchOf);
  };
  t.is(at(5), logIndex(5));
  t.is(at(5, 3), logIndex(3));
  t.is(at(9, 1, 4), logIndex(4));
  t.is(at(9, 1, 4, 3), logIndex(3));
});
