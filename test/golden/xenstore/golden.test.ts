import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { play } from './transcript.ts';

/** `GOLDEN=rewrite npx ava test/golden/xenstore` writes what the core says now; read the difference. */
const rewrite = process.env.GOLDEN === 'rewrite';

for (const name of readdirSync(import.meta.dirname).filter((file) => file.endsWith('.txt')))
  test(`xenstore's core says what ${name} says`, (t) => {
    const path = join(import.meta.dirname, name);
    const text = readFileSync(path, 'utf8');
    const played = play(text);
    if (rewrite) writeFileSync(path, played);
    t.is(played, rewrite ? played : text);
  });
