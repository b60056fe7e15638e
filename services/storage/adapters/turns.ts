import { fail, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';

/** Calls about one disk that may wait: a caller that asks more often than this is not helped by it. */
const waitingBound = 16;

/** Lets calls about one disk take turns, while those about others run at once. */
export interface Turns {
  /** Runs `work` when the turns of this disk before it have ended; BUSY where too many wait. */
  take<Value>(
    vdi: string,
    work: () => Promise<Result<Value, Failure>>,
  ): Promise<Result<Value, Failure>>;
}

/** Makes the turns of one service: it is the only one on its host, so no other has to be asked. */
export function turns(): Turns {
  const queues = new Map<string, { last: Promise<unknown>; waiting: number }>();
  return {
    take: async (vdi, work) => {
      const queue = queues.get(vdi) ?? { last: Promise.resolve(), waiting: 0 };
      if (queue.waiting >= waitingBound) return fail(tooManyWait(vdi));
      queues.set(vdi, queue);
      queue.waiting += 1;
      const turn = queue.last.then(work);
      queue.last = turn;
      try {
        return await turn;
      } finally {
        queue.waiting -= 1;
        if (queue.waiting === 0) queues.delete(vdi);
      }
    },
  };
}

function tooManyWait(vdi: string): Failure {
  return {
    reason: 'BUSY',
    message: `${waitingBound} calls about the disk ${vdi} wait for one another already`,
    remedy: 'Wait for the calls before, then try again.',
    resource: { type: 'vdi', name: vdi },
  };
}
