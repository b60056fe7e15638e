import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { call } from '../connection/call.ts';
import type { PoolConnection } from '../connection/pool-connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';

/** A database that is away may be what is to be mended: it is not waited for. */
const patience = milliseconds(2_000);

/** The host whose service is meant: the one that was named, else the pool's only one. */
export async function meantHost(
  pool: PoolConnection,
  service: string,
  named: string | undefined,
): Promise<Result<string, Problem>> {
  if (named !== undefined) return ok(named);
  const listed = await call(pool, (to, settings) => to.pool.listHosts({}, settings), patience);
  if (!listed.ok) return withoutDatabase(pool, listed.error);
  const names = listed.value.hosts.map(({ name }) => name);
  const [first, ...more] = names;
  if (first === undefined)
    return fail({
      exitCode: exitCodes.notFound,
      message: 'no host has joined the pool yet',
      remedy: 'name the host that is meant: --host HOST',
    });
  if (more.length === 0) return ok(first);
  return fail(
    wrongUsage(`${service} runs on each of the pool's ${names.length} hosts`, nameOne(names)),
  );
}

/** A pool's own file names its hosts; addresses alone do not say whether there are others. */
function withoutDatabase({ location }: PoolConnection, problem: Problem): Result<string, Problem> {
  if (problem.reason !== 'DATABASE_UNAVAILABLE') return fail(problem);
  const [first, ...more] = location.hosts.map(({ name }) => name);
  const areNames = location.directory !== undefined;
  if (areNames && first !== undefined && more.length === 0) return ok(first);
  const remedy = areNames && first !== undefined ? nameOne([first, ...more]) : nameOne(['HOST']);
  return fail({ ...problem, remedy: `${remedy}; it is asked without the database` });
}

/** Hosts that are named at most: a pool may have 64. */
const shown = 6;

function nameOne(names: readonly string[]): string {
  const some = names.slice(0, shown).join(' or --host ');
  return `name one: --host ${some}${names.length > shown ? ' ...' : ''}`;
}
