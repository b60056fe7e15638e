import { fail, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';

/**
 * Calls that wait for their turn. At some tens of milliseconds a turn, who comes after this many
 * would wait for longer than a call's default deadline.
 */
const waitingMost = 1000;

/**
 * Lets one act at a time go ahead, in the order in which they came. Starts of VMs take turns within
 * a service: each compares the reservations of its host, so that of several at once one would win
 * and the others would have read everything in vain.
 */
export class Turns {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Does `act` when all before it are done. */
  async take<Value>(act: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    if (this.#waiting >= waitingMost) return fail(tooMany);
    this.#waiting += 1;
    const turn = this.#last.then(act);
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}

const tooMany: Failure = {
  reason: 'LIMIT',
  message: `${waitingMost} starts wait for their turn on this host already`,
  remedy: 'Start fewer at once, or ask another host of the pool.',
};
