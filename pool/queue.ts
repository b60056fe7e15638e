/**
 * A queue between one producer that cannot wait and one consumer that reads at its own pace. Its
 * size is bounded: when `push` says that it is full, the producer decides what that means.
 */
export interface Queue<Item> extends AsyncIterable<Item> {
  /** Adds an item that takes `size` of the bound; false: it does not fit, and nothing was added. */
  push(item: Item, size?: number): boolean;
  /** Forgets what waits, delivers `last` if it is given, and ends. Later pushes are ignored. */
  end(last?: Item): void;
  /** Delivers what waits, and ends. */
  finish(): void;
}

/** Makes a queue for items of a total size of at most `bound`. It is read by one `for await`. */
export function queue<Item>(bound: number): Queue<Item> {
  let waiting: { readonly item: Item; readonly size: number }[] = [];
  let used = 0;
  let ended = false;
  let wake: (() => void) | null = null;
  const notify = () => {
    wake?.();
    wake = null;
  };
  return {
    push: (item, size = 1) => {
      if (ended) return true;
      if (used + size > bound) return false;
      waiting.push({ item, size });
      used += size;
      notify();
      return true;
    },
    end: (last) => {
      if (ended) return;
      waiting = last === undefined ? [] : [{ item: last, size: 0 }];
      used = 0;
      ended = true;
      notify();
    },
    finish: () => {
      ended = true;
      notify();
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          const next = waiting.shift();
          if (next !== undefined) {
            used -= next.size;
            yield next.item;
            continue;
          }
          if (ended) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        ended = true;
        waiting = [];
      }
    },
  };
}
