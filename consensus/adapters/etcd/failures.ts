import { status } from '@grpc/grpc-js';
import { fail, type Result } from '../../../base/result.ts';
import type { StoreFailure } from '../../kv/failure.ts';
import type { ReplicaErrorCode } from '../../replica.ts';
import { authFailures } from './auth/failures.ts';

/** How a call failed, in gRPC's terms. The messages are etcd's: its clients compare them. */
export interface GrpcFailure {
  readonly code: status;
  readonly message: string;
}

/** The outcome of a call. */
export type Served<Response> = Result<Response, GrpcFailure>;

/** The store's refusals, as etcd words them (its api/v3rpc/rpctypes). */
const storeFailures: Readonly<Record<StoreFailure, GrpcFailure>> = {
  'empty-key': {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: key is not provided',
  },
  'key-not-found': { code: status.INVALID_ARGUMENT, message: 'etcdserver: key not found' },
  'value-provided': { code: status.INVALID_ARGUMENT, message: 'etcdserver: value is provided' },
  'lease-provided': { code: status.INVALID_ARGUMENT, message: 'etcdserver: lease is provided' },
  'too-many-operations': {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: too many operations in txn request',
  },
  'duplicate-key': {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: duplicate key given in txn request',
  },
  compacted: {
    code: status.OUT_OF_RANGE,
    message: 'etcdserver: mvcc: required revision has been compacted',
  },
  'future-revision': {
    code: status.OUT_OF_RANGE,
    message: 'etcdserver: mvcc: required revision is a future revision',
  },
  'lease-not-found': {
    code: status.NOT_FOUND,
    message: 'etcdserver: requested lease not found',
  },
  'lease-exists': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: lease already exists',
  },
  'lease-ttl-too-large': {
    code: status.OUT_OF_RANGE,
    message: 'etcdserver: too large lease TTL',
  },
  'no-space': {
    code: status.RESOURCE_EXHAUSTED,
    message: 'etcdserver: mvcc: database space exceeded',
  },
  corrupt: { code: status.DATA_LOSS, message: 'etcdserver: corrupt cluster' },
  ...authFailures,
};

/** What the adapter itself refuses. */
export const failures = {
  noLeader: { code: status.UNAVAILABLE, message: 'etcdserver: no leader' },
  stopped: { code: status.UNAVAILABLE, message: 'etcdserver: server stopped' },
  noSpace: storeFailures['no-space'],
  tooLarge: { code: status.INVALID_ARGUMENT, message: 'etcdserver: request is too large' },
  tooMany: { code: status.RESOURCE_EXHAUSTED, message: 'etcdserver: too many requests' },
  invalidSort: { code: status.INVALID_ARGUMENT, message: 'etcdserver: invalid sort option' },
  invalidCompare: {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: invalid compare in txn request',
  },
  noAlarm: { code: status.INVALID_ARGUMENT, message: 'etcdserver: alarm is not provided' },
  memberNotFound: { code: status.NOT_FOUND, message: 'etcdserver: member not found' },
  notLeader: { code: status.FAILED_PRECONDITION, message: 'etcdserver: not leader' },
  badTransferee: {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: bad leader transferee',
  },
  transferTimedOut: {
    code: status.UNAVAILABLE,
    message: 'etcdserver: request timed out, leader transfer took too long',
  },
  emptyOperation: {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: an operation of the txn request is empty',
  },
} as const satisfies Record<string, GrpcFailure>;

/**
 * Why the replica did not serve. After `outcome-unknown` the command may yet take effect; etcd's
 * clients do not repeat a write on this message.
 */
const replicaFailures: Readonly<Record<ReplicaErrorCode, GrpcFailure>> = {
  'no-leader': failures.noLeader,
  'outcome-unknown': {
    code: status.UNAVAILABLE,
    message: 'etcdserver: request timed out, possibly due to previous leader failure',
  },
  'too-large': failures.tooLarge,
  overloaded: failures.tooMany,
  'read-only': failures.noSpace,
  stopped: failures.stopped,
};

/** etcd answers so while a member of an older version is in the cluster. */
export function notCapable(member: string): GrpcFailure {
  const message = `etcdserver: not capable: member ${member} runs an older version, upgrade it first`;
  return { code: status.FAILED_PRECONDITION, message };
}

/** The store refused. */
export function storeFailure(failure: StoreFailure): { ok: false; error: GrpcFailure } {
  return fail(storeFailures[failure]);
}

/** The replica could not serve. */
export function replicaFailure(code: ReplicaErrorCode): { ok: false; error: GrpcFailure } {
  return fail(replicaFailures[code]);
}
