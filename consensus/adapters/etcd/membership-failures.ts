import { status } from '@grpc/grpc-js';
import type { MembershipRefusal } from '../../core/membership.ts';
import type { MembershipError } from '../../replica.ts';
import { type GrpcFailure, replicaFailure, type Served } from './failures.ts';

/** The pool's refusals to change its members, as etcd words them where it has words for it. */
const refusals: Readonly<Record<MembershipRefusal, GrpcFailure>> = {
  'not-ready': { code: status.UNAVAILABLE, message: 'etcdserver: unhealthy cluster' },
  'change-under-way': {
    code: status.UNAVAILABLE,
    message: 'etcdserver: the change of the membership before this one is not committed yet',
  },
  'member-exists': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: member ID already exist',
  },
  'address-taken': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: Peer URLs already exists',
  },
  'member-not-found': { code: status.NOT_FOUND, message: 'etcdserver: member not found' },
  'not-a-learner': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: can only promote a learner member',
  },
  'not-caught-up': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: can only promote a learner member which is in sync with leader',
  },
  'too-many-members': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: too many learner members in cluster',
  },
  'majority-needed': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: re-configuration failed due to not enough started members',
  },
};

/** What the adapter itself refuses of changes. */
export const membershipFailures = {
  badUrls: {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: given member URLs are invalid',
  },
  notFound: refusals['member-not-found'],
} as const;

/** A change, or a transfer of the leadership, was refused or not served. */
export function membershipFailure({ code }: MembershipError): Served<never> {
  return isRefusal(code) ? { ok: false, error: refusals[code] } : replicaFailure(code);
}

function isRefusal(code: MembershipError['code']): code is MembershipRefusal {
  return code in refusals;
}
