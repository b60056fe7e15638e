import { createHash, randomBytes } from 'node:crypto';
import { type MemberId, memberId } from './core/ids.ts';

/** What tells this pool's database from all others. */
export interface PoolIdentity {
  /** As the members call it. */
  readonly pool: string;
  /** As etcd's clients see it: the same, as a number. */
  readonly clusterId: bigint;
}

/**
 * The identity of the pool that begins with these members. Addresses do not count: they may change
 * between restarts.
 */
export function poolIdentity(token: string, names: Iterable<string>): PoolIdentity {
  return namedPool(digest('pool', token, ...[...names].sort()).slice(0, 16));
}

/** The identity of a pool by what its members call it. */
export function namedPool(pool: string): PoolIdentity {
  return { pool, clusterId: BigInt(`0x${pool}`) };
}

/**
 * The identity of the pool that these members begin with what was saved of another one: theirs
 * alone, so that no member of the former pool can take part by mistake.
 */
export function restoredPool(token: string, names: Iterable<string>, saved: string): PoolIdentity {
  return namedPool(digest('restored', token, saved, ...[...names].sort()).slice(0, 16));
}

/** The identity of a pool that goes on with one member of another one. */
export function recoveredPool(): PoolIdentity {
  return namedPool(randomBytes(8).toString('hex'));
}

/** The id of a member of the pool's first configuration: 48 bits, so that it is an exact number. */
export function firstMemberId(token: string, name: string): MemberId {
  return memberId(Number.parseInt(digest('member', token, name).slice(0, 12), 16) || 1);
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
