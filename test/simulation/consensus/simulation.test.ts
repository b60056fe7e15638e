import test from 'ava';
import { type Bug, bugs } from './bugs.ts';
import { report, runSeeds } from './run.ts';
import { Simulation } from './simulation.ts';

/** Seeds that every run of the tests takes; `npm run sim` takes as many as one likes. */
const seeds = 50;

test('members that crash, stall and are cut off keep every promise', async (t) => {
  const outcomes = await runSeeds(1, seeds, null);
  const failed = outcomes.find(({ violation }) => violation !== null);
  t.is(failed, undefined, failed === undefined ? '' : report(failed));
  const writes = outcomes.reduce((sum, outcome) => sum + outcome.writes, 0);
  const reads = outcomes.reduce((sum, outcome) => sum + outcome.reads, 0);
  t.true(writes > 100 * seeds && reads > 50 * seeds, `${writes} writes and ${reads} reads`);
});

test('a seed replays to the same step', async (t) => {
  const [one, other] = [await new Simulation(11, null).run(), await new Simulation(11, null).run()];
  t.deepEqual(one, other);
  t.not(one.fingerprint, (await new Simulation(12, null).run()).fingerprint);
});

/**
 * Where the search for each bug begins: a seed that found it. If a change of the core has moved
 * the schedules, the search takes longer; then name the seed that it ends with.
 */
const firstSeeds: Readonly<Record<Bug, number>> = {
  'vote-lost-on-restart': 106,
  'term-lost-on-restart': 18,
  'answer-before-durable': 11,
  'commit-old-term': 63,
  'read-without-quorum': 31,
  'vote-for-outdated-log': 1,
  'repeated-proposal-taken': 7,
  'snapshot-forgets-a-command': 1,
};

const searchedSeeds = 1000;

for (const bug of bugs)
  test(`the checks find a seeded bug: ${bug}`, async (t) => {
    const outcomes = await runSeeds(firstSeeds[bug], searchedSeeds, bug);
    const last = outcomes.at(-1);
    t.truthy(last?.violation, `${bug} was not found in ${searchedSeeds} seeds`);
    t.log(`seed ${last?.seed}: ${last?.violation}`);
  });
