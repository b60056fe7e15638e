import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import { milliseconds } from '../../../base/units.ts';
import { serve } from '../../../pool/rpc/server.ts';
import { failureOf } from '../../../pool/rpc/status.ts';
import { connect } from '../../../proto/client.ts';
import { XenstoreService } from '../../../proto/gen/flotilla.xenstore.v1.ts';
import { Store } from '../core/store.ts';
import { Daemon } from './daemon.ts';
import { xenstoreService } from './grpc.ts';
import { Journal } from './journal.ts';

const patience = { timeout: milliseconds(20_000) };

async function serving() {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const store = new Store();
  const journal = Journal.open(directory, store);
  if (!journal.ok) throw new Error(journal.error);
  const daemon = new Daemon(store, journal.value);
  const server = await serve({
    listen: '127.0.0.1:0',
    credentials: null,
    services: [xenstoreService(daemon)],
  });
  if (!server.ok) throw new Error(server.error.message);
  const connection = connect(server.value.address, credentials.createInsecure());
  return {
    daemon,
    client: connection.client(XenstoreService),
    close: async () => {
      connection.close();
      await server.value.close();
      rmSync(directory, { recursive: true });
    },
  };
}

test('services read, write, list and set permissions over gRPC', async (t) => {
  const { client, close } = await serving();
  const value = Buffer.from('web');
  t.true((await client.write({ path: '/vm/web/name', value }, patience)).ok);
  const read = await client.read({ path: '/vm/web/name' }, patience);
  t.deepEqual(read.ok && Buffer.from(read.value.value), value);
  for (let child = 0; child < 1000; child += 1)
    await client.write({ path: `/many/child-${child}`, value }, patience);
  const many = await client.list({ path: '/many' }, patience);
  t.is(many.ok && many.value.children.length, 1000);
  t.is(many.ok && many.value.children.at(-1), 'child-999');
  const none = await client.list({ path: '/vm/web/name' }, patience);
  t.deepEqual(none.ok && none.value.children, []);
  const permissions = [
    { domid: 0, read: false, write: false },
    { domid: 3, read: true, write: false },
  ];
  t.true((await client.setPermissions({ path: '/vm', permissions }, patience)).ok);
  const got = await client.getPermissions({ path: '/vm' }, patience);
  t.deepEqual(got.ok && got.value.permissions, permissions);
  await close();
});

test("an error has xenstore's name for it; a path of other characters does not become another", async (t) => {
  const { client, close } = await serving();
  const missing = await client.read({ path: '/none' }, patience);
  const failure = missing.ok ? null : failureOf(missing.error);
  t.is(failure?.reason, 'XENSTORE');
  t.regex(failure?.message ?? '', /^ENOENT/);
  for (const path of ['/\u0141', '/a\0/b']) {
    const answer = await client.write({ path, value: Buffer.from('x') }, patience);
    t.regex(answer.ok ? '' : failureOf(answer.error).message, /^EINVAL/, JSON.stringify(path));
  }
  await close();
});

test('a transaction over gRPC conflicts as any other', async (t) => {
  const { client, close } = await serving();
  const write = (path: string, text: string, transaction = 0) =>
    client.write({ path, value: Buffer.from(text), transaction }, patience);
  await write('/a', '1');
  const begun = await client.startTransaction({}, patience);
  const transaction = begun.ok ? begun.value.transaction : 0;
  await client.read({ path: '/a', transaction }, patience);
  await write('/b', 'inside', transaction);
  await write('/a', '2');
  const ended = await client.endTransaction({ transaction, commit: true }, patience);
  t.regex(ended.ok ? '' : failureOf(ended.error).message, /^EAGAIN/);
  t.false((await client.read({ path: '/b' }, patience)).ok);
  await close();
});

test('a watch streams what changes below its path', async (t) => {
  const { client, close } = await serving();
  const stream = client.watch({ path: '/a' });
  const paths: string[] = [];
  for await (const event of stream) {
    paths.push(event.path);
    if (paths.length === 1) await client.write({ path: '/a/b', value: Buffer.from('1') }, patience);
    if (paths.length === 2) break;
  }
  t.deepEqual(paths, ['/a', '/a/b']);
  await close();
});
