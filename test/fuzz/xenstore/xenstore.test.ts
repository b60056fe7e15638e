import test from 'ava';
import { seededRandom } from '../../../base/random.ts';
import { runInput, type Target } from './fuzz.ts';
import { mutate } from './mutate.ts';

/** What every run of the tests tries; `npm run sim -- xenstore-fuzz` goes on where coverage leads. */
const inputs = 400;

const promises: Readonly<Record<Target, string>> = {
  core: 'whatever a store is told, each request has one answer, and its dump makes the same store',
  ring: 'whatever a guest writes to its page, a turn takes what the protocol allows',
  wire: 'bytes in pieces are the same packets as at once',
};

for (const target of ['core', 'ring', 'wire'] as const)
  test(promises[target], (t) => {
    const random = seededRandom(42);
    const corpus: Uint8Array[] = [];
    for (let count = 0; count < inputs; count += 1) {
      const input = mutate(random, corpus);
      if (count % 8 === 0) corpus.push(input);
      t.is(runInput(target, input), null, Buffer.from(input).toString('hex'));
    }
  });
