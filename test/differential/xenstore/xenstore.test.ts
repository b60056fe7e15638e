import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { missingFor } from '../../peers/peer.ts';
import { endRules } from './ends.ts';
import { ownerOfMade } from './ownership.ts';
import { rules } from './rules.ts';
import { runSeed } from './seeds.ts';

/** The seeds that every run of the tests has; `npm run sim -- xenstore` has all others. */
const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

/** Seeds that have found a difference which nobody knew of, with its name. */
const found = {
  xenstored: [
    { seed: 1, name: 'an entry for a domain that is gone' },
    { seed: 1061, name: 'the end of a domain for which another acts' },
  ],
  oxenstored: [
    { seed: 1022, name: 'a transaction that changed nothing' },
    { seed: 1065, name: 'the end of a domain that was not introduced' },
    { seed: 2012, name: 'the owner of what a guest makes' },
    { seed: 2041, name: 'INTRODUCE of a domain that is served' },
  ],
} as const;

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

  for (const { seed, name } of found[peer]) {
    const about = `the history of seed ${seed} meets a difference with ${peer}: ${name}`;
    if (missing !== null) test.skip(`${about} (there is no ${missing})`, () => {});
    else
      test(about, async (t) => {
        const outcome = await runSeed(peer, seed);
        t.is(outcome.failure, null);
        t.true(outcome.met.includes(name));
      });
  }
}

test('every difference that is accepted is named by SPEC.md', (t) => {
  const path = join(import.meta.dirname, '../../../services/xenstore/SPEC.md');
  const table = readFileSync(path, 'utf8').split('## Where the daemons differ')[1] ?? '';
  const named = [...table.matchAll(/^\| (.+?) \|/gm)].map(([, name]) => name);
  const ofRequests = [...rules.xenstored, ...rules.oxenstored];
  const ofEnds = [...endRules.xenstored, ...endRules.oxenstored];
  const accepted = [...ofRequests, ...ofEnds].map(({ name }) => name);
  for (const name of [...accepted, ownerOfMade]) t.true(named.includes(name), name);
});
