import { type ServiceError, status } from '@grpc/grpc-js';
import type { Revision } from '../database.ts';
import {
  leaseNotFound,
  revisionCompacted,
  revisionInFuture,
  tooLarge,
} from '../database-failures.ts';
import type { Failure } from '../failure.ts';
import { detailsOf } from '../rpc/details.ts';

/** What an error of the etcd API means to its caller. */
export type Verdict =
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** Another member may answer, or this one in a moment. */
  | {
      readonly kind: 'retry';
      /** The request did certainly not take effect. */
      readonly hadNoEffect: boolean;
      readonly why: string;
    };

/**
 * Messages of etcd (api/v3rpc/rpctypes/error.go) and of grpc-js that say that the request was turned
 * away before anything was done with it.
 */
const turnedAway =
  /etcdserver: no leader|etcdserver: too many requests|etcdserver: the rights of this new pool are not set up yet|No connection established/;

/** Judges an error; `revision` is what the request asked for, if anything. */
export function judge(error: ServiceError, revision = 0 as Revision): Verdict {
  const why = detailsOf(error);
  const hadNoEffect = turnedAway.test(error.details);
  const retry: Verdict = { kind: 'retry', hadNoEffect, why };
  switch (error.code) {
    case status.OUT_OF_RANGE:
      return final(
        why.includes('compacted') ? revisionCompacted(revision) : revisionInFuture(revision),
      );
    case status.NOT_FOUND:
      return why.includes('lease') ? final(leaseNotFound) : final(refused(why));
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return final(forbidden(why));
    case status.RESOURCE_EXHAUSTED:
      return hadNoEffect ? retry : final(exhausted(why));
    case status.INVALID_ARGUMENT:
      return final(/too large|too many/.test(why) ? tooLarge(why) : refused(why));
    case status.FAILED_PRECONDITION:
    case status.UNIMPLEMENTED:
    case status.ALREADY_EXISTS:
      return final(refused(why));
    default:
      return retry;
  }
}

/** What ends a watch that a member cancelled; null: it may be watched again, with another member. */
export function watchRefusal(reason: string): Failure | null {
  return reason.includes('permission denied') ? forbidden(reason) : null;
}

function final(failure: Failure): Verdict {
  return { kind: 'failure', failure };
}

function forbidden(why: string): Failure {
  return {
    reason: 'FORBIDDEN',
    message: `the pool database does not allow this: ${why}`,
    remedy: 'Use a certificate that the pool issued for this service.',
  };
}

function exhausted(why: string): Failure {
  if (!why.includes('space')) return tooLarge(why);
  return {
    reason: 'NO_SPACE',
    message: `the pool database is full: ${why}`,
    remedy: 'Compact and defragment it, or raise its quota.',
  };
}

function refused(why: string): Failure {
  return {
    reason: 'DATABASE_UNAVAILABLE',
    message: `the pool database refused the request: ${why}`,
    remedy: 'Look into its log; run the same release on all hosts.',
  };
}
