/**
 * A console that is opened again first repeats what was printed lately. What was seen already is
 * found in it by its end, so that nothing is shown twice.
 */

/** How much of the end is kept to be found again: more than any screen that is drawn over and over. */
const tailLength = 4096;
/** A repetition longer than what a host keeps (`bounds.consoleScrollback`) is none. */
const replayLengthMax = 256 * 1024;

/** What has been seen of a console. */
export interface ConsoleReplay {
  /** The console was opened again: what comes now begins with a repetition. */
  reopened(): void;
  /** Whether something may be held back until it is known to be new. */
  holding(): boolean;
  /** What is new in `chunk`, and in what was held back before. */
  receive(chunk: Uint8Array): Uint8Array;
  /** Nothing more came for a while: the repetition is over, found or not. What was held back. */
  settle(): Uint8Array;
}

/** A console of which nothing has been seen. */
export function consoleReplay(): ConsoleReplay {
  let tail = Buffer.alloc(0);
  let held: Buffer | undefined;
  const pass = (fresh: Buffer): Uint8Array => {
    tail = Buffer.concat([tail, fresh]).subarray(-tailLength);
    return fresh;
  };
  const settle = (): Uint8Array => {
    const all = held ?? Buffer.alloc(0);
    held = undefined;
    return pass(all);
  };
  return {
    reopened: () => {
      held = tail.length === 0 ? undefined : Buffer.alloc(0);
    },
    holding: () => held !== undefined,
    receive: (chunk) => {
      if (held === undefined) return pass(Buffer.from(chunk));
      held = Buffer.concat([held, chunk]);
      const found = held.indexOf(tail);
      if (found >= 0) {
        const fresh = held.subarray(found + tail.length);
        held = undefined;
        return pass(fresh);
      }
      return held.length > replayLengthMax ? settle() : Buffer.alloc(0);
    },
    settle,
  };
}
