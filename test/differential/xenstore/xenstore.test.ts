import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { missingFor } from '../../peers/peer.ts';
import { ownerOfMade } from './compare.ts';
import { endNames } from './differences.ts';
import { rules } from './rules.ts';
import { runSeed } from './seeds.ts';

/** The seeds that every run of the tests has; `npm run sim -- xenstore` has all others. */
const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

for (const peer of ['xenstored', 'oxenstored'] as const) {
  const title = `ours does what Debian's ${peer} does, but for the differences that SPEC.md names`;
  const missing = missingFor(peer);
  if (missing !== null) test.skip(`${title} (there is no ${missing})`, () => {});
  else
    test(title, async (t) => {
      let compared = 0;
      for (const seed of seeds) {
        const outcome = await runSeed(peer, seed);
        t.is(outcome.failure, null);
        compared += outcome.compared;
      }
      t.log(`${compared} steps compared`);
    });
}

test('every difference that is accepted is named by SPEC.md', (t) => {
  const path = join(import.meta.dirname, '../../../services/xenstore/SPEC.md');
  const table = readFileSync(path, 'utf8').split('## Where the daemons differ')[1] ?? '';
  const named = [...table.matchAll(/^\| (.+?) \|/gm)].map(([, name]) => name);
  const accepted = [...rules.xenstored, ...rules.oxenstored].map(({ name }) => name);
  for (const name of [...accepted, ...endNames, ownerOfMade]) t.true(named.includes(name), name);
});
