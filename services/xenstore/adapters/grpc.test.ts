import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientReadableStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import type { Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { serve } from '../../../pool/rpc/server.ts';
import { failureOf } from '../../../pool/rpc/status.ts';
import { connect } from '../../../proto/client.ts';
import { type ReadTreeResponse, XenstoreService } from '../../../proto/gen/flotilla.xenstore.v1.ts';
import { Daemon } from './daemon.ts';
import { callersOf } from './grpc/callers.ts';
import { askerOf } from './grpc/requests.ts';
import { Transactions } from './grpc/transactions.ts';
import { watchNodes } from './grpc/watch.ts';
import { xenstoreService } from './grpc.ts';
import { Journal } from './journal.ts';
import { LocalClient } from './local-client.ts';

const patience = { timeout: milliseconds(20_000) };

async function serving() {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const journal = Journal.open(directory);
  if (!journal.ok) throw new Error(journal.error);
  const begun = Daemon.open(journal.value);
  if (!begun.ok) throw new Error(begun.error);
  const daemon = begun.value;
  const server = await serve({
    listen: '127.0.0.1:0',
    credentials: null,
    services: [xenstoreService(daemon, callersOf(undefined))],
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

/** Everything that a stream brings. */
async function allOf<Message>(stream: ClientReadableStream<Message>): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** The status that a stream ends with. */
function endOf(stream: ClientReadableStream<unknown>): Promise<status> {
  stream.on('error', () => undefined).resume();
  return new Promise((resolve) => stream.once('status', ({ code }) => resolve(code)));
}

test('services read, write, list and set permissions over gRPC', async (t) => {
  const { client, close } = await serving();
  const value = Buffer.from('web');
  t.true((await client.write({ path: '/vm/web/name', value }, patience)).ok);
  const read = await client.read({ path: '/vm/web/name' }, patience);
  t.deepEqual(read.ok && Buffer.from(read.value.value), value);
  const none = await client.list({ path: '/vm/web/name' }, patience);
  t.deepEqual(none.ok && none.value.children, []);
  t.true((await client.makeDirectory({ path: '/vm/db' }, patience)).ok);
  t.deepEqual((await client.exists({ path: '/vm/db' }, patience)).ok && true, true);
  const there = await client.exists({ path: '/vm/none' }, patience);
  t.deepEqual(there.ok && there.value, { exists: false });
  const permissions = [
    { domid: 0, read: false, write: false },
    { domid: 3, read: true, write: false },
  ];
  t.true((await client.setPermissions({ path: '/vm', permissions }, patience)).ok);
  const got = await client.getPermissions({ path: '/vm' }, patience);
  t.deepEqual(got.ok && got.value.permissions, permissions);
  await close();
});

test("an error has xenstore's name for it and the status that callers know", async (t) => {
  const { client, close } = await serving();
  await client.makeDirectory({ path: '/a' }, patience);
  const value = new Uint8Array(5000);
  const rows: readonly (readonly [
    Promise<Result<unknown, ServiceError>>,
    status,
    string,
    RegExp,
  ])[] = [
    [client.read({ path: '/none' }, patience), status.NOT_FOUND, 'NOT_FOUND', /^ENOENT: /],
    [client.read({ path: 'a//b' }, patience), status.INVALID_ARGUMENT, 'INVALID_FIELD', /^EINVAL/],
    [client.write({ path: '/a', value }, patience), status.RESOURCE_EXHAUSTED, 'LIMIT', /^E2BIG: /],
    [
      client.read({ path: '/a', transaction: 7 }, patience),
      status.NOT_FOUND,
      'NOT_FOUND',
      /^ENOENT/,
    ],
    [
      client.control({ words: ['none'] }, patience),
      status.INVALID_ARGUMENT,
      'INVALID_FIELD',
      /^EINVAL/,
    ],
    [
      client.control({ words: ['log', 'on'] }, patience),
      status.UNIMPLEMENTED,
      'NOT_IMPLEMENTED',
      /^ENOSYS/,
    ],
  ];
  for (const [asked, code, reason, said] of rows) {
    const answer = await asked;
    if (answer.ok) t.fail('it was done');
    else {
      const failure = failureOf(answer.error);
      t.deepEqual([answer.error.code, failure.reason], [code, reason]);
      t.regex(failure.message, said);
    }
  }
  await close();
});

test('a hostile call is refused for its size or form, and the next one is served', async (t) => {
  const { client, daemon, close } = await serving();
  const refusals = [
    client.write({ path: '/\u0141', value: Buffer.from('x') }, patience),
    client.write({ path: '/a\0/b', value: Buffer.from('x') }, patience),
    client.read({ path: `/${'x'.repeat(3 * 2 ** 20)}` }, patience),
    client.read({ path: '/', transaction: -1 }, patience),
    client.read({ path: '/', transaction: 2 ** 31 - 1 }, patience),
    client.list({ path: '/', pageSize: -1 }, patience),
    client.list({ path: '/', pageToken: 'x'.repeat(2 ** 20) }, patience),
    client.list({ path: '/', pageToken: token([0, '-5']) }, patience),
    client.list({ path: '/', pageToken: token([0, '1e400']) }, patience),
    client.setPermissions({ path: '/', permissions: [] }, patience),
    client.setPermissions(
      { path: '/', permissions: [{ domid: -3, read: true, write: true }] },
      patience,
    ),
    client.setPermissions(
      { path: '/', permissions: Array.from({ length: 100_000 }, () => ({ domid: 0 })) },
      patience,
    ),
    client.control({ words: [] }, patience),
    client.control({ words: ['quota', 'x\0y'] }, patience),
    client.control({ words: Array.from({ length: 100_000 }, () => 'x') }, patience),
  ];
  for (const [index, refused] of refusals.entries()) {
    const answer = await refused;
    t.false(answer.ok, String(index));
    if (!answer.ok) t.not(answer.error.code, status.INTERNAL, String(index));
  }
  for (const request of [
    { path: '/\0' },
    { path: '/', depth: -1 },
    { path: '/', depth: 2 ** 31 - 1 },
    { path: `/${'x'.repeat(2 ** 20)}` },
  ]) {
    const watched = await endOf(client.watch(request));
    t.is(watched, status.INVALID_ARGUMENT, JSON.stringify(request).slice(0, 50));
    const read = await endOf(client.readTree(request));
    t.is(read, status.INVALID_ARGUMENT);
  }
  t.true((await client.exists({ path: '/tool' }, patience)).ok);
  t.is(daemon.clients, 1, 'the one that serves gRPC');
  await close();
});

function token(content: readonly [number, string]): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

test('a list comes in pages, which are all of the same list', async (t) => {
  const { client, daemon, close } = await serving();
  const local = new LocalClient(daemon, () => undefined);
  for (let child = 0; child < 1500; child += 1)
    local.request('MKDIR', 0, Buffer.from(`/many/child-${child}\0`));
  const pages: string[][] = [];
  let pageToken = '';
  do {
    const page = await client.list({ path: '/many', pageSize: 700, pageToken }, patience);
    if (!page.ok) return t.fail(page.error.details);
    pages.push([...page.value.children]);
    pageToken = page.value.nextPageToken;
  } while (pageToken !== '');
  t.deepEqual(
    pages.map(({ length }) => length),
    [700, 700, 100],
  );
  t.deepEqual(
    pages.flat(),
    Array.from({ length: 1500 }, (_, child) => `child-${child}`),
  );
  const first = await client.list({ path: '/many' }, patience);
  t.is(first.ok && first.value.children.length, 100);
  await client.makeDirectory({ path: '/many/another' }, patience);
  const second = await client.list(
    { path: '/many', pageToken: first.ok ? first.value.nextPageToken : '' },
    patience,
  );
  t.is(second.ok ? 0 : second.error.code, status.ABORTED);
  await close();
});

test('a tree is read as it was when it was asked for, however long that takes', async (t) => {
  const { client, daemon, close } = await serving();
  const local = new LocalClient(daemon, () => undefined);
  const value = Buffer.alloc(1000, 120);
  for (let child = 0; child < 400; child += 1)
    local.request('WRITE', 0, Buffer.concat([Buffer.from(`/t/c${child}/v\0`), value]));
  const paths: string[] = [];
  for await (const { nodes } of client.readTree({
    path: '/t',
  }) as AsyncIterable<ReadTreeResponse>) {
    if (paths.length === 0) await client.remove({ path: '/t' }, patience);
    for (const { path } of nodes) paths.push(path);
  }
  t.is(paths.length, 801);
  t.deepEqual(paths.slice(0, 4), ['/t', '/t/c0', '/t/c0/v', '/t/c1']);
  await client.write({ path: '/t/a/b', value: Buffer.from('1') }, patience);
  const shallow = await allOf(client.readTree({ path: '/t', depth: 1 }));
  t.deepEqual(shallow[0]?.nodes, [
    { path: '/t', value: Buffer.from(''), permissions: [{ domid: 0, read: false, write: false }] },
    {
      path: '/t/a',
      value: Buffer.from(''),
      permissions: [{ domid: 0, read: false, write: false }],
    },
  ]);
  const missing = await endOf(client.readTree({ path: '/none' }));
  t.is(missing, status.NOT_FOUND);
  t.is(daemon.clients, 2);
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

test('a transaction is its caller’s alone, and there are not too many', async (t) => {
  const { daemon, close } = await serving();
  const ask = askerOf(new LocalClient(daemon, () => undefined));
  const transactions = new Transactions(ask);
  const own = transactions.begin('host-1/storage');
  const name = own.ok ? own.value : 0;
  for (const other of ['host-1/network', null]) {
    t.false(transactions.enter(other, name, '/a').ok);
    t.false(transactions.end(other, name, true).ok);
  }
  t.true(transactions.enter('host-1/storage', name, '/a').ok);
  let begun = 0;
  while (transactions.begin(null).ok) begun += 1;
  t.is(begun, 250);
  t.true(transactions.begin('host-1/storage').ok, 'another caller has room of its own');
  t.true(transactions.end('host-1/storage', name, true).ok);
  t.false(transactions.end('host-1/storage', name, true).ok);
  await close();
});

test('a transaction that its caller leaves open ends by itself, without effect', async (t) => {
  const { daemon, client, close } = await serving();
  const ask = askerOf(new LocalClient(daemon, () => undefined));
  const transactions = new Transactions(ask, milliseconds(1));
  const begun = transactions.begin(null);
  const name = begun.ok ? begun.value : 0;
  const entered = transactions.enter(null, name, '/left');
  t.true(ask('MKDIR', '/left', entered.ok ? entered.value : 0).ok);
  while (transactions.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  t.false(transactions.end(null, name, true).ok);
  const left = await client.exists({ path: '/left' }, patience);
  t.deepEqual(left.ok && left.value, { exists: false });
  const report = await client.control({ words: ['memreport'] }, patience);
  t.regex(report.ok ? report.value.text : '', /^domain 0: .* 0 transactions/m);
  await close();
});

test('a watch streams what changes below its path, as far as it is deep', async (t) => {
  const { client, close } = await serving();
  const paths: string[] = [];
  const write = (path: string) => client.write({ path, value: Buffer.from('1') }, patience);
  for await (const event of client.watch({ path: '/a' })) {
    paths.push(event.path);
    if (paths.length === 1) await write('/a/b/c');
    if (paths.length === 2) break;
  }
  for await (const event of client.watch({ path: '/a', depth: 1 })) {
    paths.push(event.path);
    if (paths.length === 3) {
      await write('/a/b/c');
      await write('/a/b');
    }
    if (paths.length === 4) break;
  }
  t.deepEqual(paths, ['/a', '/a/b/c', '/a', '/a/b']);
  await close();
});

test('a watch that is cancelled leaves nothing behind', async (t) => {
  const { client, daemon, close } = await serving();
  const cancelled = new AbortController();
  const streams = Array.from({ length: 20 }, () =>
    client.watch({ path: '/a' }, { signal: cancelled.signal }),
  );
  await Promise.all(streams.map((stream) => once(stream, 'data')));
  t.is(daemon.clients, 21);
  const ended = streams.map((stream) => once(stream, 'error'));
  cancelled.abort();
  await Promise.all(ended);
  while (daemon.clients > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  const report = await client.control({ words: ['memreport'] }, patience);
  t.regex(report.ok ? report.value.text : '', /^watches: 0$/m);
  await close();
});

test('a caller has so many watches and no more, and one that does not read is told', async (t) => {
  const { client, daemon, close } = await serving();
  const cancelled = new AbortController();
  const { signal } = cancelled;
  const streams = Array.from({ length: 250 }, () => client.watch({ path: '/a' }, { signal }));
  for (const stream of streams) stream.on('error', () => undefined);
  await Promise.all(streams.map((stream) => once(stream, 'data')));
  const refused = await endOf(client.watch({ path: '/a' }));
  t.is(refused, status.RESOURCE_EXHAUSTED);

  cancelled.abort();
  while (daemon.clients > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  const local = new LocalClient(daemon, () => undefined);
  const unread: string[] = [];
  const over = new AbortController();
  const watched = await watchNodes(
    daemon,
    { path: '/slow' },
    {
      method: '',
      identity: null,
      signal: over.signal,
      send: async ({ path }) => {
        unread.push(path ?? '');
        for (let node = 0; node <= 2000; node += 1)
          local.request('MKDIR', 0, Buffer.from(`/slow/${node}\0`));
      },
    },
  );
  t.is(watched.ok ? '' : watched.error.reason, 'WATCH_TOO_SLOW');
  t.deepEqual(unread, ['/slow']);
  await close();
});

test('the operator and the services of the host may call; orders are the operator’s alone', (t) => {
  const may = callersOf('host-1');
  const rows: readonly (readonly [string | null, nodes: boolean, daemon: boolean])[] = [
    ['operator', true, true],
    ['host-1/vm-lifecycle', true, false],
    ['host-1/storage', true, false],
    ['host-1/network', true, false],
    ['host-2/storage', false, false],
    ['host-1/', false, false],
    ['host-1', false, false],
    ['', false, false],
    [null, true, true],
  ];
  for (const [identity, nodes, daemon] of rows) {
    t.is(may(identity, 'nodes').ok, nodes, `${identity}`);
    t.is(may(identity, 'daemon').ok, daemon, `${identity}`);
  }
  t.false(callersOf(undefined)('undefined/storage', 'nodes').ok);
});
