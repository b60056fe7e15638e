import test from 'ava';
import { Conversation } from './conversation.ts';

/** Who says what, and what comes back. */
export type Row = readonly [connection: number, request: string, text: string, ...said: string[]];

/**
 * A test that is a conversation with a store that connections 1 and 2 of the control domain and those
 * of the domains 7, 8 and 9 are connected to.
 */
export function rows(title: string, ...all: readonly Row[]): void {
  test(title, (t) => {
    const talk = new Conversation([1, 2, 7, 8, 9]);
    for (const [connection, request, text, ...said] of all) {
      const heard = talk.say(connection, request, text);
      t.deepEqual(heard, said, `${connection} ${request} ${text.slice(0, 80)}`);
      // The replies are taken at once, so that nobody is held.
      talk.takeAll();
    }
    t.deepEqual(talk.store.check(), []);
  });
}
