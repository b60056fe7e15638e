import { closeNames } from './close-names.ts';
import { hostNames, networkNames, srNames, vmNames } from './connection/names.ts';
import type { PoolConnection } from './connection/pool-connection.ts';
import type { Problem } from './problem.ts';

/** Adds names that do exist to the problem of one that does not. */
export async function withSuggestions(pool: PoolConnection, problem: Problem): Promise<Problem> {
  if (problem.reason !== 'NOT_FOUND' || problem.resource === undefined) return problem;
  const { type } = problem.resource;
  // Those of xenstore are not the pool's.
  if (type === 'node') return problem;
  const names = await namesOf(pool, type);
  return {
    ...problem,
    suggestions: closeNames(problem.resource.name, names),
    remedy: names.length > 0 && !isListed(type) ? nameOne(names) : problem.remedy,
  };
}

/** Whether the CLI has a command that lists things of this type. */
function isListed(type: string): boolean {
  return type === 'vm' || type === 'host';
}

/** Names that are shown at most where nothing else lists them. */
const shown = 10;

function nameOne(names: readonly string[]): string {
  const more = names.length > shown ? `, or ${names.length - shown} others` : '';
  return `name one that exists: ${names.slice(0, shown).join(', ')}${more}`;
}

async function namesOf(pool: PoolConnection, type: string): Promise<readonly string[]> {
  switch (type) {
    case 'vm':
      return vmNames(pool);
    case 'host':
      return hostNames(pool);
    case 'network':
      return networkNames(pool);
    case 'sr':
      return srNames(pool);
    default:
      return [];
  }
}
