import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { sourceRoots } from './layers.ts';

const checkout = join(import.meta.dirname, '..', '..');

/** Folders of code that builds, tests or measures, which no host runs. */
const notOnHosts = new Set(['bench', 'deploy', 'test']);

test('a host has every folder of code that is not known to stay behind', (t) => {
  const folders = readdirSync(checkout, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^\.|^(?:node_modules|docs)$/.test(entry.name))
    .map(({ name }) => name);
  t.deepEqual(
    sourceRoots.filter((root) => !root.includes('.')),
    folders.filter((name) => !notOnHosts.has(name)).toSorted(),
  );
});
