import type { Result } from '../base/result.ts';
import { closeNames } from './close-names.ts';
import { hostNames, vmNames } from './connection/names.ts';
import type { PoolConnection } from './connection/pool-connection.ts';
import type { Problem } from './problem.ts';

/** Adds names that do exist to the problem of one that does not. */
export async function withSuggestions(pool: PoolConnection, problem: Problem): Promise<Problem> {
  if (problem.reason !== 'NOT_FOUND' || problem.resource === undefined) return problem;
  const names = await namesOf(pool, problem.resource.type);
  if (names === undefined || !names.ok) return problem;
  return { ...problem, suggestions: closeNames(problem.resource.name, names.value) };
}

async function namesOf(
  pool: PoolConnection,
  type: string,
): Promise<Result<readonly string[], Problem> | undefined> {
  if (type === 'vm') return vmNames(pool);
  if (type === 'host') return hostNames(pool);
  return undefined;
}
