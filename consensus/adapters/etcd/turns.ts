import { fail } from '../../../base/result.ts';
import type { Turns } from '../../kv/state-hash.ts';
import { failures, type Served } from './failures.ts';

/** Does work in turns of the event loop, so that calls are served in between. */
export async function inTurns<Outcome>(work: Turns<Outcome>): Promise<Outcome> {
  for (;;) {
    const turn = work.next();
    if (turn.done === true) return turn.value;
    await nextTurn();
  }
}

/** Resolves when what has arrived meanwhile was served. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Who may wait for heavy work of a member, each of which reads its whole store. */
const waitingMax = 16;

/** Heavy work of one member: one piece at a time, and only so many wait. */
export class HeavyWork {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Does the work when that before it has ended, or refuses. */
  async run<Outcome>(work: () => Promise<Served<Outcome>>): Promise<Served<Outcome>> {
    if (this.#waiting >= waitingMax) return fail(failures.tooMany);
    this.#waiting += 1;
    const done = this.#last.then(work);
    this.#last = done;
    const served = await done;
    this.#waiting -= 1;
    return served;
  }
}
