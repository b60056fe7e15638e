import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

test('every rule of SPEC.md has a test that names it, and no test names another', (t) => {
  const read = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8');
  const rules = [...read('SPEC.md').matchAll(/^- \*\*(R\d+)\*\*/gm)].map((match) => match[1]);
  t.deepEqual(rules, [...new Set(rules)], 'each number once');
  const tests = globSync(['core/*.test.ts', 'node.test.ts'], { cwd: import.meta.dirname })
    .map(read)
    .join('\n');
  const named = new Set([...tests.matchAll(/^test\('\[(R\d+)\]/gm)].map((match) => match[1]));
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
