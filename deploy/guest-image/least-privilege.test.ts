import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { GuestService } from './guest-service.ts';
import { databasePrefixes, guestServices } from './services.ts';
import { systemCalls } from './system-calls.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/least-privilege.md'), 'utf8');

/** The rows of the table of a domain, by their first cell. */
function tableOf(domain: string): ReadonlyMap<string, string> {
  const [, section = ''] = text.split(`\n## ${domain}\n`);
  const [table = ''] = section.split('\n## ');
  const rows = [...table.matchAll(/^\| (.+?) \| (.*) \|$/gm)];
  return new Map(rows.map(([, head = '', cell = '']) => [head, cell]));
}

function listed(words: readonly string[]): string {
  return words.length === 0 ? 'none' : words.join(', ');
}

for (const [name, service] of Object.entries(guestServices) as [
  keyof typeof guestServices,
  GuestService,
][])
  test(`the table of ${name} in docs/least-privilege.md is what its image is given`, (t) => {
    const table = tableOf(name);
    const { devices, capabilities, xenPrivileges, ports, runsAsRoot } = service;
    const expected = {
      user: runsAsRoot ? "root, without root's capabilities: it opens what is root's" : 'its own',
      'devices of /dev': listed(devices.map((path) => `\`${path}\``)),
      capabilities: listed(Object.keys(capabilities)),
      'system calls':
        systemCalls[name] === null
          ? 'any: it was not tried with a filter'
          : 'those of `system-calls.ts`; others fail with EPERM',
      "Xen's privileges":
        xenPrivileges.map((words) => words.replace(/^xen: /, '')).join('; ') || 'none',
      'network ports': listed(ports.map(({ port }) => `${port}`)),
      'pool database':
        databasePrefixes(name).length === 0
          ? 'nothing'
          : `as \`HOST/${name}\`: [the table](access.md#the-table)`,
    };
    const found = Object.keys(expected).map((row) => [row, table.get(`*${row}*`)]);
    t.deepEqual(Object.fromEntries(found), expected);
    for (const row of [
      ...['grants of others', 'event channels of others', 'hypercalls refused', 'xenstore entries'],
      ...['**taken over, it gives**', '**it does not give**'],
    ])
      t.truthy(table.get(row), row);
  });
