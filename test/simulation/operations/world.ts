import { setImmediate as nextTurn } from 'node:timers/promises';
import { seededRandom } from '../../../base/random.ts';
import { fail, ok } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import type { PoolDatabase } from '../../../pool/database.ts';
import type { Failure } from '../../../pool/failure.ts';
import { isEnded } from '../../../pool/operations/core.ts';
import type { StepDriver, StepDrivers } from '../../../pool/operations/driver.ts';
import { newOperation, startOperation } from '../../../pool/operations/record.ts';
import { runOperations } from '../../../pool/operations/runner.ts';
import { openPool } from '../../../pool/pool.ts';
import type { HostId, OperationId } from '../../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../../pool/records/operation.ts';
import { simulatedClock } from '../../../pool/simulated/clock.ts';
import { put, writing } from '../../../pool/transaction.ts';

const host = '00000000-0000-4000-8000-000000000001' as HostId;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const broken: Failure = { reason: 'STORAGE', message: 'the disk broke', remedy: '' };

/** What drivers did to the world: an effect is there or not, however often it was brought about. */
export interface World {
  readonly effects: Set<string>;
  readonly calls: string[];
}

/** An operation of steps whose drivers are those of `driversOn`. */
export function plan(
  resource: string,
  steps: readonly string[],
  irreversible = -1,
): OperationRecord {
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

/** A runner with those drivers and others, on a clock that stands still unless one is given. */
export function runnerOn(
  database: PoolDatabase,
  world: World,
  crash?: (point: string) => Promise<void>,
  clock = simulatedClock(),
  others: StepDrivers = {},
) {
  const pool = openPool(database);
  const runner = runOperations({
    pool,
    service: 'storage',
    host,
    drivers: { ...driversOn(world, crash), ...others },
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

/** Resolves with the record of an operation once it has ended. */
export async function untilEnded(
  database: PoolDatabase,
  id: OperationId,
  turn: () => Promise<void> = () => nextTurn(),
): Promise<OperationRecord> {
  const pool = openPool(database);
  for (let turns = 0; turns < 3_000; turns += 1) {
    const read = await pool.operationsOf('storage').get(id);
    if (read.ok && read.value !== null && isEnded(read.value.record)) return read.value.record;
    await turn();
  }
  throw new Error('the operation does not end');
}

/** Records an operation, as an API handler does. */
export async function record(database: PoolDatabase, operation: OperationRecord): Promise<void> {
  const started = await startOperation(openPool(database), operation);
  if (!started.ok) throw new Error(started.error.message);
}
