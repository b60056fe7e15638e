import test from 'ava';
import { type Bug, bugs } from './bugs.ts';
import { runBatch } from './seeds.ts';
import { Simulation } from './simulation.ts';
import { report, Summary } from './summary.ts';

/** Seeds that every run of the tests takes, by their first; `npm run sim` takes as many as one likes. */
const batches = [1, 101, 201];
const seeds = 100;

const uncancelled = new AbortController().signal;

async function runSeeds(first: number, count: number, bug: Bug | null): Promise<Summary> {
  const summary = new Summary();
  const batch = { first, count, bug, jobs: 2, goOn: false, signal: uncancelled };
  await runBatch(batch, (outcome) => summary.add(outcome));
  return summary;
}

for (const first of batches)
  test.serial(
    `members that crash, stall and change keep every promise (seeds from ${first})`,
    async (t) => {
      t.timeout(180_000);
      const summary = await runSeeds(first, seeds, null);
      const [failed] = summary.failed;
      t.is(failed === undefined ? '' : report(failed, null), '');
      t.log(`${summary}`);
      t.true(summary.sum('writes') > 100 * seeds && summary.sum('reads') > 100 * seeds);
      t.true(summary.sum('changes') > seeds && summary.sum('crashes') > 5 * seeds);
      t.true(summary.sum('watchEvents') > 50 * seeds && summary.sum('leases') > seeds);
      t.is(summary.undecided, 0);
    },
  );

test.serial('a seed replays to the same step, wherever it runs', async (t) => {
  for (const [seed, bug] of [
    [11, null],
    [1, 'change-before-first-commit'],
  ] as const) {
    const one = await new Simulation(seed, bug).run();
    t.deepEqual(await new Simulation(seed, bug).run(), one);
    t.is(one.violation === null, bug === null);
    t.not(one.fingerprint, (await new Simulation(seed + 1, null).run()).fingerprint);
  }
});

/** How a bug shows. */
interface Finding {
  /**
   * Where the search begins: a seed that found it. If a change of the core has moved the
   * schedules, the search takes longer; then name the seed that it ends with.
   */
  readonly seed: number;
  /** What is violated then. */
  readonly violation: RegExp;
}

const findings: Readonly<Record<Bug, Finding>> = {
  'vote-lost-on-restart': {
    seed: 41,
    violation: /without the votes of a majority|one vote a term/,
  },
  'term-lost-on-restart': {
    seed: 12,
    violation: /without the votes of a majority|one vote a term/,
  },
  'answer-before-durable': {
    seed: 3,
    violation: /not on the disks of a majority|without the votes/,
  },
  'acknowledged-write-lost': {
    seed: 3,
    violation: /has lost entries that it had confirmed|leader completeness/,
  },
  'commit-old-term': { seed: 3, violation: /of an?other term|by counting/ },
  'read-without-quorum': { seed: 55, violation: /linearizability/ },
  'leader-reads-without-asking': { seed: 65, violation: /linearizability/ },
  'vote-for-outdated-log': { seed: 23, violation: /leader completeness/ },
  'repeated-proposal-taken': { seed: 49, violation: /took effect twice|linearizability/ },
  'snapshot-forgets-a-command': { seed: 2, violation: /state machines differ/ },
  'snapshot-forgets-the-members': { seed: 2, violation: /a snapshot of \d+ at \d+ says voters/ },
  'learner-counts': { seed: 19, violation: /not on the disks of a majority/ },
  'removed-member-counts': { seed: 25, violation: /not on the disks of a majority/ },
  'two-changes-at-once': { seed: 1, violation: /has changes of the members at \d+ and \d+/ },
  'change-before-first-commit': { seed: 1, violation: /before it has committed anything/ },
  'configuration-outlives-its-entry': { seed: 54, violation: /goes by voters .*, and its log by/ },
  'watch-skips-after-restore': { seed: 71, violation: /watch: shown .*, owed/ },
  'lease-by-a-fast-clock': { seed: 2, violation: /lease \d+ .* expired at/ },
};

test.serial('the seed that fails first is found on any number of threads', async (t) => {
  const found: (number | undefined)[] = [];
  for (const jobs of [1, 3]) {
    const summary = new Summary();
    const batch = { first: 7, count: 100, jobs, goOn: false, signal: uncancelled };
    await runBatch({ ...batch, bug: 'term-lost-on-restart' }, (outcome) => summary.add(outcome));
    found.push(summary.failed[0]?.seed);
    t.true(summary.seeds < 100);
  }
  t.is(typeof found[0], 'number');
  t.is(found[0], found[1]);
});

test.serial('a batch that is cancelled ends with what it has found', async (t) => {
  const cancelled = new AbortController();
  const summary = new Summary();
  const batch = { first: 1, count: 1000, bug: null, jobs: 2, goOn: false };
  await runBatch({ ...batch, signal: cancelled.signal }, (outcome) => {
    summary.add(outcome);
    if (summary.seeds === 3) cancelled.abort();
  });
  t.true(summary.seeds === 3 || summary.seeds === 4);
  t.regex(`${summary}`, /^[34] seeds: \d+ steps, .* leases$/);
});

const searchedSeeds = 1000;

for (const bug of bugs)
  test.serial(`the checks find a seeded bug: ${bug}`, async (t) => {
    const { seed, violation } = findings[bug];
    const { failed } = await runSeeds(seed, searchedSeeds, bug);
    const [first] = failed;
    t.regex(first?.violation ?? 'nothing was found', violation);
    t.log(`seed ${first?.seed}: ${first?.violation}`);
  });
