import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { present } from '../../base/assert.ts';
import { seededRandom } from '../../base/random.ts';
import { fail, ok } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type { PoolDatabase } from '../database.ts';
import type { Failure } from '../failure.ts';
import { openPool } from '../pool.ts';
import type { HostId, OperationId } from '../records/identifiers.ts';
import type { OperationRecord } from '../records/operation.ts';
import { simulatedClock } from '../simulated/clock.ts';
import { type SimulatedFault, simulatedDatabase } from '../simulated/database.ts';
import { put, writing } from '../transaction.ts';
import { isEnded } from './core.ts';
import type { StepDriver } from './driver.ts';
import { newOperation, startOperation } from './record.ts';
import { runOperations } from './runner.ts';

const host = '00000000-0000-4000-8000-000000000001' as HostId;
const never = new Promise<never>(() => {});
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const broken: Failure = { reason: 'STORAGE', message: 'the disk broke', remedy: '' };

/** What drivers did to the world: an effect is there or not, however often it was brought about. */
interface World {
  readonly effects: Set<string>;
  readonly calls: string[];
}

function plan(resource: string, steps: readonly string[], irreversible = -1): OperationRecord {
  return newOperation({
    verb: 'test.run',
    resource: { type: 'vm', id: resource, name: resource },
    service: 'storage',
    host,
    steps: steps.map((name, index) => ({
      name,
      description: name,
      input: { effect: `${resource}:${index}` },
      irreversible: index === irreversible,
    })),
    now: milliseconds(1),
  });
}

/** `work` brings about an effect; `break` does so and fails; `hold` waits until it is cancelled. */
function driversOn(world: World, crash: (point: string) => Promise<void> = async () => {}) {
  const driver = (act: 'work' | 'break' | 'hold'): StepDriver => ({
    do: async (step, context) => {
      const effect = String(step.input.effect);
      world.calls.push(`do ${effect}`);
      await crash(`before ${effect}`);
      world.effects.add(effect);
      await crash(`after ${effect}`);
      if (act === 'break') return fail(broken);
      if (act === 'work') return ok({ effect });
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      return fail({ reason: 'SERVICE_UNAVAILABLE', message: 'was aborted', remedy: '' });
    },
    undo: async (step) => {
      const effect = String(step.input.effect);
      world.calls.push(`undo ${effect}`);
      await crash(`before undo ${effect}`);
      world.effects.delete(effect);
      await crash(`after undo ${effect}`);
      return ok(undefined);
    },
  });
  return { work: driver('work'), break: driver('break'), hold: driver('hold') };
}

function runnerOn(
  database: PoolDatabase,
  world: World,
  crash?: (point: string) => Promise<void>,
  clock = simulatedClock(),
) {
  const pool = openPool(database);
  const runner = runOperations({
    pool,
    service: 'storage',
    host,
    drivers: driversOn(world, crash),
    finishes: {
      'test.run': async (operation, outcome) =>
        ok(writing(put(`/flotilla/test/${operation.resource.id}`, outcome))),
    },
    log: quiet,
    clock,
    random: seededRandom(1),
  });
  return { runner, clock };
}

async function untilEnded(
  database: PoolDatabase,
  id: OperationId,
  turn: () => Promise<void> = () => nextTurn(),
): Promise<OperationRecord> {
  const pool = openPool(database);
  for (let turns = 0; turns < 3_000; turns += 1) {
    const read = await pool.operations.get(id);
    if (read.ok && read.value !== null && isEnded(read.value.record)) return read.value.record;
    await turn();
  }
  throw new Error('the operation does not end');
}

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

async function record(database: PoolDatabase, operation: OperationRecord): Promise<void> {
  const started = await startOperation(openPool(database), operation);
  if (!started.ok) throw new Error(started.error.message);
}

async function cancel(database: PoolDatabase, id: OperationId): Promise<void> {
  const pool = openPool(database);
  for (;;) {
    const read = await pool.operations.get(id);
    const stored = present(read.ok ? read.value : null, 'the operation exists');
    if (isEnded(stored.record)) return;
    const cancelled = { ...stored.record, cancelRequested: true };
    const written = await database.transact(pool.operations.replacing(stored, cancelled));
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

test('operations of one resource run one after the other, in the order in which they were made', async (t) => {
  const database = simulatedDatabase();
  const world: World = { effects: new Set(), calls: [] };
  const first = { ...plan('web', ['work', 'work']), createdAt: plan('web', ['work']).createdAt };
  const second = {
    ...plan('web', ['work']),
    createdAt: (first.createdAt + 1) as typeof first.createdAt,
  };
  await record(database, second);
  await record(database, first);
  const { runner } = runnerOn(database, world);
  await untilEnded(database, second.id);
  await runner.close();
  t.deepEqual(world.calls, ['do web:0', 'do web:1', 'do web:0']);
  database.close();
});

test('a step of an unknown name fails the operation and undoes what was done', async (t) => {
  const database = simulatedDatabase();
  const world: World = { effects: new Set(), calls: [] };
  const operation = plan('web', ['work', 'of.another.release']);
  await record(database, operation);
  const { runner } = runnerOn(database, world);
  const ended = await untilEnded(database, operation.id);
  await runner.close();
  t.is(ended.failure?.reason, 'NOT_IMPLEMENTED');
  t.is(world.effects.size, 0);
  database.close();
});

test('a request made twice starts one operation', async (t) => {
  const database = simulatedDatabase();
  const pool = openPool(database);
  const requestId = '00000000-0000-4000-8000-00000000000a';
  const first = await startOperation(pool, { ...plan('web', ['work']), requestId });
  const again = await startOperation(pool, { ...plan('web', ['work']), requestId });
  t.true(first.ok && again.ok && first.value.record.id === again.value.record.id);
  database.close();
});

test('closing the runner aborts the step that runs and records nothing of it', async (t) => {
  const database = simulatedDatabase();
  const world: World = { effects: new Set(), calls: [] };
  const operation = plan('web', ['hold']);
  await record(database, operation);
  const { runner } = runnerOn(database, world);
  while (world.effects.size === 0) await nextTurn();
  await runner.close();
  const read = await openPool(database).operations.get(operation.id);
  t.is(read.ok ? read.value?.record.state : null, 'running');
  database.close();
});
