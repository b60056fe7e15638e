import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findPool, type PoolChoice } from './find-pool.ts';

const content = {
  name: 'sea',
  hosts: [
    {
      id: 'h1',
      name: 'host-1',
      endpoints: { 'vm-lifecycle': '127.0.0.1:7001', consensus: '127.0.0.1:7002' },
    },
  ],
  identity: { ca: 'tls/ca.pem', certificate: 'tls/c.pem', key: 'tls/k.pem' },
};

/** A directory with the pool's file in `.flotilla` and a directory `a/b` beside it. */
function place(t: ExecutionContext, text = JSON.stringify(content)): string {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-cli-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, '.flotilla'));
  mkdirSync(join(directory, 'a', 'b'), { recursive: true });
  writeFileSync(join(directory, '.flotilla', 'pool.json'), text);
  return directory;
}

function find(directory: string, pool?: string, identity?: string) {
  const choice: PoolChoice = { pool, identity, directory };
  return findPool(choice);
}

test('the pool of the directory, of its parents, or the one that is named is the same', (t) => {
  const directory = place(t);
  const expected = {
    name: 'sea',
    directory: join(directory, '.flotilla'),
    hosts: [{ name: 'host-1', address: '127.0.0.1:7001', member: '127.0.0.1:7002' }],
    identity: {
      ca: join(directory, '.flotilla/tls/ca.pem'),
      certificate: join(directory, '.flotilla/tls/c.pem'),
      key: join(directory, '.flotilla/tls/k.pem'),
    },
  };
  const ways = [
    find(directory),
    find(join(directory, 'a', 'b')),
    find('/', directory),
    find('/', join(directory, '.flotilla')),
    find(directory, '.flotilla/pool.json'),
  ];
  for (const way of ways) t.deepEqual(way, { ok: true, value: expected });
});

test('addresses are hosts without names, with the identity that is named', (t) => {
  t.deepEqual(find('/x', '127.0.0.1:7001,[::1]:7002,lab-2:7', 'me'), {
    ok: true,
    value: {
      name: '127.0.0.1:7001,[::1]:7002,lab-2:7',
      hosts: ['127.0.0.1:7001', '[::1]:7002', 'lab-2:7'].map((address) => ({
        name: address,
        address,
      })),
      identity: { ca: '/x/me/ca.pem', certificate: '/x/me/certificate.pem', key: '/x/me/key.pem' },
    },
  });
});

test('an identity is also found under the name that its files have', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-cli-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const name of ['ca.pem', 'operator.pem', 'operator-key.pem'])
    writeFileSync(join(directory, name), '');
  const found = find('/', '127.0.0.1:1', directory);
  t.deepEqual(found.ok && found.value.identity, {
    ca: join(directory, 'ca.pem'),
    certificate: join(directory, 'operator.pem'),
    key: join(directory, 'operator-key.pem'),
  });
});

test('a pool that is not there is exit code 3, with what was looked for', (t) => {
  const directory = place(t);
  const message = (...choice: Parameters<typeof find>): string => {
    const found = find(...choice);
    if (found.ok) return 'found';
    t.is(found.error.exitCode, 3);
    t.not(found.error.remedy, '');
    return found.error.message;
  };
  t.regex(message(tmpdir()), /no pool was named/);
  t.is(message(directory, 'a'), 'a has no pool.json');
  t.regex(message(directory, 'nowhere'), /neither a directory, nor a file/);
});

test('a file that is damaged is named, with what is wrong in it', (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{"name": "sea", "hos', /pool\.json is not a pool's client file: .*JSON/],
    [JSON.stringify({ ...content, hosts: [] }), /hosts: Invalid length/],
    [JSON.stringify({ ...content, hosts: [{ name: 'x', endpoints: {} }] }), /vm-lifecycle/],
    [' '.repeat(2 ** 20 + 1), /larger than 1 MiB/],
  ];
  for (const [text, expected] of cases) {
    const found = find(place(t, text));
    t.false(found.ok);
    if (!found.ok) t.regex(found.error.message, expected);
  }
});
