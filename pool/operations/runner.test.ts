import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { fail, ok } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import {
  plan,
  record,
  runnerOn,
  untilEnded,
  type World,
} from '../../test/simulation/operations/world.ts';
import type { Failure } from '../failure.ts';
import { openPool } from '../pool.ts';
import { simulatedClock } from '../simulated/clock.ts';
import { simulatedDatabase } from '../simulated/database.ts';
import type { StepDriver } from './driver.ts';
import { startOperation } from './record.ts';

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
  const read = await openPool(database).operationsOf('storage').get(operation.id);
  t.is(read.ok ? read.value?.record.state : null, 'running');
  database.close();
});

const away: Failure = { reason: 'SERVICE_UNAVAILABLE', message: 'nobody answers', remedy: '' };

/** A step that another service does, which is away for some calls. */
function remote(failures: { do: number; undo: number }): StepDriver & { calls: string[] } {
  const calls: string[] = [];
  const call = (direction: 'do' | 'undo') => {
    calls.push(direction);
    failures[direction] -= 1;
    return failures[direction] >= 0;
  };
  return {
    calls,
    do: async () => (call('do') ? fail(away) : ok({})),
    undo: async () => (call('undo') ? fail(away) : ok(undefined)),
  };
}

test('a step is tried again while a service is away, and undone when it stays away', async (t) => {
  for (const [failures, state, calls] of [
    [{ do: 3, undo: 0 }, 'succeeded', 4],
    [{ do: 1_000, undo: 5 }, 'failed', 16],
  ] as const) {
    const clock = simulatedClock();
    const database = simulatedDatabase({ clock });
    const world: World = { effects: new Set(), calls: [] };
    const driver = remote({ ...failures });
    const operation = plan('web', ['work', 'remote']);
    await record(database, operation);
    const { runner } = runnerOn(database, world, undefined, clock, { remote: driver });
    const turn = () => clock.advance(milliseconds(1_000));
    const ended = await untilEnded(database, operation.id, turn);
    await runner.close();
    t.is(ended.state, state);
    t.is(driver.calls.length, calls);
    t.is(world.effects.size, state === 'succeeded' ? 1 : 0);
    database.close();
  }
});

test('a step past the point of no return is tried for as long as its service is away', async (t) => {
  const clock = simulatedClock();
  const database = simulatedDatabase({ clock });
  const world: World = { effects: new Set(), calls: [] };
  const driver = remote({ do: 50, undo: 0 });
  const operation = plan('web', ['work', 'remote'], 0);
  await record(database, operation);
  const { runner } = runnerOn(database, world, undefined, clock, { remote: driver });
  const turn = () => clock.advance(milliseconds(10_000));
  t.is((await untilEnded(database, operation.id, turn)).state, 'succeeded');
  t.is(driver.calls.length, 51);
  await runner.close();
  database.close();
});

test('what a driver says of its progress is in the record while the step runs, once a second', async (t) => {
  const clock = simulatedClock();
  const database = simulatedDatabase({ clock });
  const pool = openPool(database);
  const world: World = { effects: new Set(), calls: [] };
  const seen: (string | undefined)[] = [];
  const wait: StepDriver = {
    do: async (_step, context) => {
      for (let second = 1; second <= 3; second += 1) {
        context.progress(`waited ${second} s`);
        context.progress('this comes too soon');
        await clock.sleep(milliseconds(1_000));
        const read = await pool.operationsOf('storage').get(context.operation.id);
        if (read.ok) seen.push(read.value?.record.steps[0]?.description);
      }
      return ok({});
    },
    undo: async () => ok(undefined),
  };
  const operation = plan('web', ['wait']);
  await record(database, operation);
  const { runner } = runnerOn(database, world, undefined, clock, { wait });
  const turn = () => clock.advance(milliseconds(500));
  t.is((await untilEnded(database, operation.id, turn)).state, 'succeeded');
  t.deepEqual(seen, ['waited 1 s', 'waited 2 s', 'waited 3 s']);
  await runner.close();
  database.close();
});
