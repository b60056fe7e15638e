/** Lets work about one thing take turns, while work about other things goes on. */
export interface Turns {
  /**
   * Does `work` when all that was given before for the same thing has ended; null at once, and
   * without doing it, where as many wait already as the bound says.
   */
  take<Value>(thing: string, work: () => Promise<Value>): Promise<Value | null>;
}

/** Turns with a bound on those who wait for one thing, the one at work included. */
export function turns(waitingBound: number): Turns {
  const queues = new Map<string, { last: Promise<unknown>; waiting: number }>();
  return {
    take: async (thing, work) => {
      const queue = queues.get(thing) ?? { last: Promise.resolve(), waiting: 0 };
      if (queue.waiting >= waitingBound) return null;
      queues.set(thing, queue);
      queue.waiting += 1;
      const turn = queue.last.then(work, work);
      queue.last = turn;
      try {
        return await turn;
      } finally {
        queue.waiting -= 1;
        if (queue.waiting === 0) queues.delete(thing);
      }
    },
  };
}
