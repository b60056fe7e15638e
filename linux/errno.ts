import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { lastErrno } from './calls.ts';

/** A call would have had to wait, and does not: there is nothing yet, or no room. */
export const wouldWait = -constants.errno.EAGAIN;

/** A signal came first; the call is to be made again. */
export const interrupted = -constants.errno.EINTR;

/** What a call has returned, with -1 as the errno behind it, less than 0. */
export function outcome(returned: number): number {
  return returned === -1 ? -lastErrno() : returned;
}

/** The name of an outcome less than 0, such as EPIPE. */
export function errorName(negative: number): string {
  return getSystemErrorName(negative);
}
