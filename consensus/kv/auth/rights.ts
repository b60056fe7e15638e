import { unreachable } from '../../../base/assert.ts';
import type { ByteString } from '../byte-string.ts';
import type { KeyRange } from '../key-range.ts';
import type { Operation, PlainCommand, PutRequest, TxnRequest } from '../request.ts';
import { type LeaseId, noLease } from '../version.ts';
import { Coverage } from './coverage.ts';
import { type Permission, rootRole } from './permission.ts';

/** What a user may do: the permissions of all of its roles together. */
export interface Rights {
  readonly user: ByteString;
  readonly roles: ReadonlySet<ByteString>;
  readonly isRoot: boolean;
  readonly reads: Coverage;
  readonly writes: Coverage;
}

/** What somebody asks for, as far as rights decide about it. */
export type Demand =
  | Operation
  /** Reading keys, now and as they change. */
  | { readonly kind: 'read'; readonly range: KeyRange }
  /** Any user may have leases. */
  | { readonly kind: 'grant' }
  /** Ending a lease deletes its keys, and renewing it keeps them: both need the right to write them. */
  | { readonly kind: 'lease-write'; readonly id: LeaseId }
  /** Reading which keys a lease has. */
  | { readonly kind: 'lease-read'; readonly id: LeaseId }
  /** A user may look at itself, and at its own roles. */
  | { readonly kind: 'look-at-user'; readonly user: ByteString }
  | { readonly kind: 'look-at-role'; readonly role: ByteString }
  /** Everything that is about the whole store: its members, its rights, its history. */
  | { readonly kind: 'administer' };

/** The keys of a lease; none where it does not exist. */
export type KeysOfLease = (id: LeaseId) => Iterable<ByteString>;

/** Puts together what the roles of a user allow. */
export function rightsOf(
  user: ByteString,
  roles: ReadonlySet<ByteString>,
  permissions: readonly Permission[],
): Rights {
  const ranges = (other: 'read' | 'write') =>
    permissions.filter(({ access }) => access !== other).map(({ range }) => range);
  return {
    user,
    roles,
    isRoot: roles.has(rootRole),
    reads: new Coverage(ranges('write')),
    writes: new Coverage(ranges('read')),
  };
}

/** Whether these rights allow all of what is asked: every compare, and both branches. */
export function isAllowed(rights: Rights, demand: Demand, keysOf: KeysOfLease): boolean {
  if (rights.isRoot) return true;
  switch (demand.kind) {
    case 'range':
    case 'read':
      return rights.reads.covers(demand.range);
    case 'put':
      return mayPut(rights, demand, keysOf);
    case 'delete':
      return (
        rights.writes.covers(demand.range) &&
        (!demand.withPrevious || rights.reads.covers(demand.range))
      );
    case 'txn':
      return mayTransact(rights, demand, keysOf);
    case 'grant':
      return true;
    case 'lease-write':
      return everyKey(keysOf(demand.id), rights.writes);
    case 'lease-read':
      return everyKey(keysOf(demand.id), rights.reads);
    case 'look-at-user':
      return demand.user === rights.user;
    case 'look-at-role':
      return rights.roles.has(demand.role);
    case 'administer':
      return false;
    default:
      return unreachable(demand);
  }
}

/** What a client's command asks for. */
export function demandOf(command: PlainCommand): Demand {
  switch (command.kind) {
    case 'put':
    case 'delete':
    case 'txn':
      return command;
    case 'grant':
      return { kind: 'grant' };
    case 'revoke':
      return { kind: 'lease-write', id: command.id };
    default:
      return { kind: 'administer' };
  }
}

/**
 * Whether a command comes from a client, who is to be named where rights are enforced. Members
 * themselves renew and expire leases, compact, raise alarms, and found the rights of a new pool.
 */
export function isOfClients(command: PlainCommand): boolean {
  switch (command.kind) {
    case 'put':
    case 'delete':
    case 'txn':
    case 'grant':
    case 'revoke':
      return true;
    case 'auth':
      return command.change.kind !== 'found';
    default:
      return false;
  }
}

/**
 * Who attaches a key to a lease must be able to write all keys that it has: otherwise the lease's
 * owner could be kept from ending it, which needs the same.
 */
function mayPut(
  { reads, writes }: Rights,
  { key, lease, withPrevious }: PutRequest,
  keysOf: KeysOfLease,
): boolean {
  const range = { kind: 'key', key } as const;
  if (!writes.covers(range) || (withPrevious && !reads.covers(range))) return false;
  return lease === noLease || everyKey(keysOf(lease), writes);
}

function mayTransact(rights: Rights, txn: TxnRequest, keysOf: KeysOfLease): boolean {
  if (!txn.compares.every(({ range }) => rights.reads.covers(range))) return false;
  for (const branch of [txn.success, txn.failure])
    for (const operation of branch) if (!isAllowed(rights, operation, keysOf)) return false;
  return true;
}

function everyKey(keys: Iterable<ByteString>, coverage: Coverage): boolean {
  for (const key of keys) if (!coverage.covers({ kind: 'key', key })) return false;
  return true;
}
