import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { bytes } from '../base/units.ts';
import { parseCluster, readSettings, readSettingsFile } from './settings.ts';

const good = {
  name: 'a',
  dataDir: '/var/lib/flotilla',
  listenClient: '127.0.0.1:2379',
  listenPeer: '127.0.0.1:2380',
  initialCluster: { a: '127.0.0.1:2380', b: '127.0.0.1:2390' },
  insecure: true,
};

const quota = bytes(2 ** 30);

function refusalOf(change: object): string {
  const read = readSettings({ ...good, ...change }, 'consensus.json', quota);
  return read.ok ? 'accepted' : read.error;
}

test('settings that are whole are read, with defaults for the rest', (t) => {
  const read = readSettings({ ...good, quota: '512MiB' }, 'consensus.json', quota);
  const { insecure, ...rest } = good;
  t.true(insecure);
  t.deepEqual(read, {
    ok: true,
    value: {
      ...rest,
      advertiseClient: null,
      initialCluster: new Map(Object.entries(good.initialCluster)),
      initialClusterState: 'new',
      clusterToken: 'flotilla',
      tls: null,
      quota: bytes(512 * 2 ** 20),
      retainRevisions: 50_000,
      rights: null,
    },
  });
});

test('what is wrong is named by its field', (t) => {
  t.regex(refusalOf({ name: undefined }), /^consensus\.json: name: is missing$/);
  t.regex(refusalOf({ name: 'a b' }), /name: is not 1 to 63 letters/);
  t.regex(refusalOf({ listenClient: 'localhost' }), /listenClient: is not HOST:PORT/);
  t.regex(refusalOf({ listenPeer: '127.0.0.1:70000' }), /listenPeer: is not HOST:PORT/);
  t.regex(refusalOf({ initialCluster: { a: 'x' } }), /initialCluster\.a: is not HOST:PORT/);
  t.regex(
    refusalOf({ initialCluster: { b: '127.0.0.1:1' } }),
    /initialCluster: does not name this member, a/,
  );
  t.regex(refusalOf({ tls: { ca: 'ca.pem' } }), /tls\.certificate: is missing$/);
  t.regex(refusalOf({ initialClusterState: 'old' }), /initialClusterState: is not new or existing/);
  t.regex(refusalOf({ quota: '12 parsecs' }), /quota: is not a size/);
  t.regex(refusalOf({ retainRevisions: -1 }), /retainRevisions: /);
  t.regex(refusalOf({ listenCleint: '127.0.0.1:1' }), /listenCleint: is not a known field/);
});

test('plain text is refused beyond loopback', (t) => {
  t.regex(
    refusalOf({ listenClient: '10.0.0.1:2379' }),
    /listenClient: 10\.0\.0\.1:2379 is not a loopback/,
  );
  t.regex(refusalOf({ listenPeer: '0.0.0.0:2380' }), /listenPeer: .* is not a loopback/);
  const initialCluster = { ...good.initialCluster, z: '10.0.0.9:2380' };
  t.regex(refusalOf({ initialCluster }), /initialCluster\.z: 10\.0\.0\.9:2380 is not a loopback/);
  const tls = { ca: 'ca.pem', certificate: 'a.pem', key: 'a.key' };
  t.is(refusalOf({ listenClient: '10.0.0.1:2379', tls, insecure: false }), 'accepted');
  t.regex(refusalOf({ insecure: undefined }), /tls: is missing; give tls .* or insecure/);
  t.regex(refusalOf({ tls }), /insecure: there is tls as well/);
  t.is(refusalOf({ listenClient: '[::1]:2379' }), 'accepted');
});

test('addresses of members may be URLs, as etcd writes them', (t) => {
  const initialCluster = { a: 'http://127.0.0.1:2380', b: 'https://[::1]:2390' };
  const read = readSettings({ ...good, initialCluster }, 'consensus.json', quota);
  const kept = [['a', '127.0.0.1:2380'] as const, ['b', '[::1]:2390'] as const];
  t.deepEqual(read.ok && read.value.initialCluster, new Map(kept));
  t.regex(refusalOf({ initialCluster: { a: 'unix:/x' } }), /initialCluster\.a: is not HOST:PORT/);
});

test('a cluster is read from a flag', (t) => {
  t.deepEqual(parseCluster('a=127.0.0.1:1,b=[::1]:2'), { a: '127.0.0.1:1', b: '[::1]:2' });
  t.regex(refusalOf({ initialCluster: parseCluster('a') }), /initialCluster\.a: is not HOST:PORT/);
});

test('a file that is half written, or no object, is named with what is wrong', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-settings-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'consensus.json');
  const refusal = (content: string) => {
    writeFileSync(file, content);
    const read = readSettingsFile(file);
    return read.ok ? 'accepted' : read.error;
  };
  t.is(refusal(JSON.stringify(good)), 'accepted');
  const half = refusal(JSON.stringify(good).slice(0, 40));
  t.true(half.startsWith(file) && half.includes('JSON'));
  t.regex(refusal('[1]'), /is not a JSON object/);
  const missing = readSettingsFile('/no/such/file');
  t.regex(missing.ok ? '' : missing.error, /ENOENT/);
});
