import test from 'ava';
import { InvalidArgumentError } from 'commander';
import * as v from 'valibot';
import { addSr, StorageConfigurationSchema } from './configuration.ts';

const least = {
  hostId: '00000000-0000-4000-8000-000000000001',
  hostName: 'host-1',
  listen: '127.0.0.1:7421',
  store: ['127.0.0.1:2379'],
  dataDir: '/var/lib/flotilla/storage',
};

test('a host without SRs, on Xen, needs only what every service needs', (t) => {
  t.deepEqual(v.parse(StorageConfigurationSchema, least), { ...least, srs: [], attach: 'loop' });
});

test('what cannot be is refused, and the message says what to write', (t) => {
  const sr = { name: 'local-1', path: '/srv/one' };
  const refused = [
    [{ attach: 'nbd' }, 'attach', 'write "loop" (Xen) or "file" (simulated domains)'],
    [{ srs: [{ ...sr, path: 'srv/one' }] }, 'srs.0.path', 'write an absolute path'],
    [{ srs: [sr, { ...sr, path: '/srv/two' }] }, 'srs', 'two SRs have one name'],
    [{ srs: [sr, { name: 'other', path: '/srv/../srv/one' }] }, 'srs', 'two SRs have one path'],
  ] as const;
  for (const [changes, path, message] of refused) {
    const parsed = v.safeParse(StorageConfigurationSchema, { ...least, ...changes });
    const [issue] = parsed.issues ?? [];
    if (issue === undefined) return t.fail(`${path} is accepted`);
    t.is(v.getDotPath(issue), path);
    t.is(issue.message, message);
  }
});

test('a field that nobody knows is refused', (t) => {
  t.false(v.safeParse(StorageConfigurationSchema, { ...least, sr: [] }).success);
});

test('SRs are named one by one on the command line', (t) => {
  const first = addSr('local-1=/srv/one');
  const both = addSr('fast=/srv/a=b', first);
  t.deepEqual(both, [
    { name: 'local-1', path: '/srv/one' },
    { name: 'fast', path: '/srv/a=b' },
  ]);
  for (const wrong of ['', 'local-1', '=/srv/one', 'local-1='])
    t.throws(() => addSr(wrong), { instanceOf: InvalidArgumentError });
});
