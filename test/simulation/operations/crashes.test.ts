import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { present } from '../../../base/assert.ts';
import { seededRandom } from '../../../base/random.ts';
import { milliseconds } from '../../../base/units.ts';
import type { PoolDatabase } from '../../../pool/database.ts';
import { isEnded } from '../../../pool/operations/core.ts';
import { openPool } from '../../../pool/pool.ts';
import type { OperationId } from '../../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../../pool/records/operation.ts';
import { simulatedClock } from '../../../pool/simulated/clock.ts';
import { type SimulatedFault, simulatedDatabase } from '../../../pool/simulated/database.ts';
import { plan, record, runnerOn, untilEnded, type World } from './world.ts';

const never = new Promise<never>(() => {});

/** A process's own view of the database: from call number `at` on, nothing comes back. */
function crashing(database: PoolDatabase, at: number, when: 'before' | 'after') {
  let calls = 0;
  const call = async <Value>(act: () => Promise<Value>): Promise<Value> => {
    calls += 1;
    if (calls > at || (calls === at && when === 'before')) return never;
    const value = await act();
    return calls >= at ? never : value;
  };
  const crashed = new AbortController();
  const view: PoolDatabase = {
    ...database,
    get: (key) => call(() => database.get(key)),
    list: (request) => call(() => database.list(request)),
    transact: (transaction) => call(() => database.transact(transaction)),
    watch: (request) =>
      database.watch({ ...request, signal: AbortSignal.any([request.signal, crashed.signal]) }),
  };
  return { view, crashed, hasCrashed: () => calls >= at };
}

async function cancel(database: PoolDatabase, id: OperationId): Promise<void> {
  const pool = openPool(database);
  for (;;) {
    const read = await pool.operationsOf('storage').get(id);
    const stored = present(read.ok ? read.value : null, 'the operation exists');
    if (isEnded(stored.record)) return;
    const cancelled = { ...stored.record, cancelRequested: true };
    const written = await database.transact(
      pool.operationsOf('storage').replacing(stored, cancelled),
    );
    if (written.ok && written.value.committed) return;
  }
}

const scenarios: readonly {
  readonly title: string;
  readonly steps: readonly string[];
  readonly irreversible?: number;
  readonly cancel?: boolean;
  readonly state: OperationRecord['state'];
  readonly effects: readonly string[];
}[] = [
  {
    title: 'succeeds',
    steps: ['work', 'work', 'work'],
    state: 'succeeded',
    effects: ['web:0', 'web:1', 'web:2'],
  },
  { title: 'fails', steps: ['work', 'work', 'break'], state: 'failed', effects: [] },
  {
    title: 'fails past the point of no return',
    steps: ['work', 'work', 'break'],
    irreversible: 0,
    state: 'failed',
    effects: ['web:0'],
  },
  {
    title: 'is cancelled',
    steps: ['work', 'hold', 'work'],
    cancel: true,
    state: 'cancelled',
    effects: [],
  },
];

for (const scenario of scenarios)
  for (const when of ['before', 'after'] as const)
    test(`an operation that ${scenario.title} does so after a crash right ${when} any call of the database`, async (t) => {
      let crashes = 0;
      for (let at = 1; ; at += 1) {
        const database = simulatedDatabase();
        const world: World = { effects: new Set(), calls: [] };
        const operation = plan('web', scenario.steps, scenario.irreversible);
        await record(database, operation);
        const { view, crashed, hasCrashed } = crashing(database, at, when);
        runnerOn(view, world);
        for (let turn = 0; turn < 25; turn += 1) {
          if (turn === 12 && scenario.cancel === true) await cancel(database, operation.id);
          await nextTurn();
        }
        crashed.abort();
        const second = runnerOn(database, world);
        const ended = await untilEnded(database, operation.id);
        await second.runner.close();
        t.is(ended.state, scenario.state);
        t.deepEqual([...world.effects].sort(), [...scenario.effects]);
        const finish = await database.get('/flotilla/test/web');
        t.is(finish.ok ? finish.value?.value : null, scenario.state);
        database.close();
        if (!hasCrashed()) break;
        crashes += 1;
      }
      t.true(crashes >= 4, `${crashes} crashes`);
    });

for (const scenario of scenarios.filter(({ cancel }) => cancel !== true))
  test(`an operation that ${scenario.title} does so after a crash at any point of any driver`, async (t) => {
    let crashes = 0;
    for (let at = 1; ; at += 1) {
      const database = simulatedDatabase();
      const world: World = { effects: new Set(), calls: [] };
      const operation = plan('web', scenario.steps, scenario.irreversible);
      await record(database, operation);
      let points = 0;
      const first = runnerOn(database, world, async () => {
        points += 1;
        if (points >= at) await never;
      });
      for (let turn = 0; turn < 25; turn += 1) await nextTurn();
      void first.runner.close();
      const second = runnerOn(database, world);
      const ended = await untilEnded(database, operation.id);
      await second.runner.close();
      t.is(ended.state, scenario.state);
      t.deepEqual([...world.effects].sort(), [...scenario.effects]);
      database.close();
      if (points < at) break;
      crashes += 1;
    }
    t.true(crashes >= 6, `${crashes} crashes`);
  });

for (let seed = 1; seed <= 30; seed += 1)
  test(`operations end right on a database that fails often (seed ${seed})`, async (t) => {
    const random = seededRandom(seed);
    const faults: readonly SimulatedFault[] = ['none', 'none', 'refused', 'unanswered'];
    const clock = simulatedClock();
    let faulty = false;
    const database = simulatedDatabase({
      clock,
      fault: () => (faulty ? random.pick(faults) : 'none'),
    });
    const world: World = { effects: new Set(), calls: [] };
    const good = plan('good', ['work', 'work', 'work']);
    const bad = plan('bad', ['work', 'break', 'work']);
    await record(database, good);
    await record(database, bad);
    faulty = true;
    const { runner } = runnerOn(database, world, undefined, clock);
    const turn = () => clock.advance(milliseconds(500));
    t.is((await untilEnded(database, good.id, turn)).state, 'succeeded');
    t.is((await untilEnded(database, bad.id, turn)).state, 'failed');
    await runner.close();
    t.deepEqual([...world.effects].sort(), ['good:0', 'good:1', 'good:2']);
    database.close();
  });
