import type { Revision } from './database.ts';
import type { Failure } from './failure.ts';

/** What the adapters of the database answer; the callers see the same whichever it is. */

/** No member answers, or none leads. `why` is what was heard last. */
export function databaseUnavailable(why: string): Failure {
  return {
    reason: 'DATABASE_UNAVAILABLE',
    message: `the pool database does not answer: ${why}`,
    remedy: 'More than half of its members must run and reach each other: flotilla pool status',
  };
}

/** A read or a watch of a revision that is no longer kept. */
export function revisionCompacted(revision: Revision): Failure {
  return {
    reason: 'REVISION_COMPACTED',
    message: `revision ${revision} is no longer kept by the pool database`,
    remedy: 'Watch again from the start, without a resume revision.',
  };
}

/** A resume revision that this database has not reached: it is another database's. */
export function revisionInFuture(revision: Revision): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `revision ${revision} has not come yet`,
    remedy: 'Pass a revision that this pool returned.',
    field: 'resume_revision',
  };
}

/** A lease that has ended, or never was. */
export const leaseNotFound: Failure = {
  reason: 'NOT_FOUND',
  message: 'the lease has ended',
  remedy: 'Obtain a new one.',
};

/** The reader of a watch left more than the bound unread. */
export function watchTooSlow(bound: number): Failure {
  return {
    reason: 'WATCH_TOO_SLOW',
    message: `the watch was ended: more than ${bound} changes waited to be read`,
    remedy: 'Watch again from the last revision that was received, and read faster.',
  };
}

/** A transaction or a value that is larger than the database takes. */
export function tooLarge(why: string): Failure {
  return {
    reason: 'LIMIT',
    message: `the pool database refused the request as too large: ${why}`,
    remedy: 'Split it into smaller ones.',
  };
}
