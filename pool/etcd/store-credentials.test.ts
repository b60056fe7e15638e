import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChannelCredentials } from '@grpc/grpc-js';
import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import { makeAuthority } from '../identity/authority.ts';
import { credentialsForStore } from './store-credentials.ts';

const own = ChannelCredentials.createInsecure();

test("a service shows its database what it shows everybody, or what that etcd's operator gave", async (t) => {
  const store = ['127.0.0.1:2379'];
  t.deepEqual(await credentialsForStore({ store }, own), { ok: true, value: own });
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-store-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const ca = join(directory, 'ca.pem');
  await writeFile(ca, (await makeAuthority('etcd', milliseconds(Date.now()))).certificate);
  const theirs = await credentialsForStore({ store, storeTls: { ca } }, own);
  t.true(theirs.ok && theirs.value._isSecure());
});

test('plain text to another machine, and files that cannot be used, are refused by field', async (t) => {
  const far = { store: ['127.0.0.1:1', 'etcd-2:2379'], storeTls: null };
  t.like(await credentialsForStore(far, own), {
    ok: false,
    error: { reason: 'INVALID_FIELD', field: 'storeTls' },
  });
  t.like(await credentialsForStore({ store: ['[::1]:2379'], storeTls: null }, own), { ok: true });
  const missing = { store: ['etcd-2:2379'], storeTls: { ca: '/no/such/ca.pem' } };
  t.like(await credentialsForStore(missing, own), {
    ok: false,
    error: { field: 'storeTls.ca', reason: 'INVALID_FIELD' },
  });
});
