import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8');
const titles = globSync('{core,migration,adapters}/*.test.ts', { cwd: import.meta.dirname })
  .map(read)
  .join('\n');

test('every rule of SPEC.md has a test that names it, and no test names another', (t) => {
  const rules = [...read('SPEC.md').matchAll(/^- \*\*(X\d+)\*\*/gm)].map((match) => match[1]);
  t.deepEqual(rules, [...new Set(rules)], 'each number once');
  const named = new Set(
    [...titles.matchAll(/(?:test|rows)\(\s*["'`]\[(X\d+)\]/g)].map((match) => match[1]),
  );
  t.deepEqual(
    rules.filter((rule) => !named.has(rule)),
    [],
    'rules without a test',
  );
  t.deepEqual(
    [...named].filter((rule) => !rules.includes(rule)),
    [],
    'tests without a rule',
  );
});

test('every advisory that SPEC.md lays to the core has a test that names it', (t) => {
  const advisories = [...read('SPEC.md').matchAll(/^\| (\d{2,3}) \| [^|]+\| X\d+/gm)].map(
    (match) => match[1],
  );
  t.true(advisories.length > 20);
  t.deepEqual(
    advisories.filter((number) => !titles.includes(`XSA-${number} `)),
    [],
  );
});
