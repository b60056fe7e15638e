import {
  deepStrictEqual,
  ok as isTrue,
  match,
  notStrictEqual,
  strictEqual,
} from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { failureOf } from '../../pool/rpc/status.ts';
import type { Client } from '../../proto/client.ts';
import type {
  ReadTreeResponse,
  WatchEvent,
  XenstoreService,
} from '../../proto/gen/flotilla.xenstore.v1.ts';
import type { XenstoreClient } from '../../services/xenstore/client/index.ts';

/** A xenstore behind gRPC, to be held to what the service promises. */
export interface XenstoreGrpcSubject {
  readonly client: Client<XenstoreService>;
  /** A client of the same xenstore that does not go through gRPC. */
  readonly direct: XenstoreClient;
}

/** One case; those that say so need a daemon that nobody else uses, on a machine that is not emulated. */
export interface XenstoreGrpcCase {
  readonly title: string;
  readonly alone?: true;
  run(subject: XenstoreGrpcSubject): Promise<void>;
}

/** What a call may take where processors are taken by others: a hang is what this is to tell. */
const patience = { timeout: milliseconds(120_000) };

/** The value of what has to succeed. */
function good<Value>(result: Result<Value, ServiceError>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function text(value: string): Uint8Array {
  return Buffer.from(value);
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

/** The first paths that a watch brings; after the first one, `change` is to bring about others. */
async function heardFrom(
  stream: ClientReadableStream<WatchEvent>,
  enough: number,
  change: () => Promise<unknown>,
): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const event of stream as AsyncIterable<WatchEvent>) {
    paths.push(event.path);
    if (paths.length === enough) break;
    if (paths.length === 1) await change();
  }
  // A stream that is left is not thereby over for the server.
  stream.cancel();
  return paths;
}

function token(content: readonly [number, string]): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** Makes nodes, many at once. */
async function makeAll(direct: XenstoreClient, paths: readonly string[]): Promise<void> {
  for (const made of await Promise.all(paths.map((path) => direct.mkdir(path)))) isTrue(made.ok);
}

const own = [{ domid: 0, read: false, write: false }];

export const xenstoreGrpcContract: readonly XenstoreGrpcCase[] = [
  {
    title: 'services read, write, list, remove and set permissions',
    run: async ({ client, direct }) => {
      good(await client.write({ path: '/vm/web/name', value: text('web') }, patience));
      const read = good(await client.read({ path: '/vm/web/name' }, patience));
      deepStrictEqual(Buffer.from(read.value).toString(), 'web');
      const seen = await direct.readText('/vm/web/name');
      deepStrictEqual(seen, { ok: true, value: 'web' });
      deepStrictEqual(good(await client.list({ path: '/vm/web/name' }, patience)).children, []);
      good(await client.makeDirectory({ path: '/vm/db' }, patience));
      deepStrictEqual(good(await client.exists({ path: '/vm/db' }, patience)), { exists: true });
      good(await client.remove({ path: '/vm/db' }, patience));
      deepStrictEqual(good(await client.exists({ path: '/vm/db' }, patience)), { exists: false });
      const permissions = [...own, { domid: 1, read: true, write: false }];
      good(await client.setPermissions({ path: '/vm', permissions }, patience));
      const got = good(await client.getPermissions({ path: '/vm' }, patience));
      deepStrictEqual(got.permissions, permissions);
      good(await client.write({ path: 'relative', value: text('x') }, patience));
      deepStrictEqual(await direct.readText('/local/domain/0/relative'), { ok: true, value: 'x' });
    },
  },
  {
    title: "an error has xenstore's name for it and the status that callers know",
    alone: true,
    run: async ({ client }) => {
      good(await client.makeDirectory({ path: '/a' }, patience));
      const value = new Uint8Array(5000);
      const rows: readonly (readonly [
        Promise<Result<unknown, ServiceError>>,
        status,
        string,
        RegExp,
      ])[] = [
        [client.read({ path: '/none' }, patience), status.NOT_FOUND, 'NOT_FOUND', /^ENOENT: /],
        [
          client.read({ path: 'a//b' }, patience),
          status.INVALID_ARGUMENT,
          'INVALID_FIELD',
          /^EINVAL/,
        ],
        [
          client.write({ path: '/a', value }, patience),
          status.RESOURCE_EXHAUSTED,
          'LIMIT',
          /^E2BIG: /,
        ],
        [
          client.write({ path: '/a', value: value.subarray(0, 4094) }, patience),
          status.RESOURCE_EXHAUSTED,
          'LIMIT',
          /^E2BIG: /,
        ],
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
        if (answer.ok) throw new Error(`it was done: ${said}`);
        const failure = failureOf(answer.error);
        deepStrictEqual([answer.error.code, failure.reason], [code, reason]);
        match(failure.message, said);
      }
    },
  },
  {
    title: 'a hostile call is refused for its size or form, and the next one is served',
    run: async ({ client }) => {
      const permission = { domid: -3, read: true, write: true };
      const many = Array.from({ length: 100_000 }, () => ({ domid: 0 }));
      const refusals = [
        client.write({ path: '/\u0141', value: text('x') }, patience),
        client.write({ path: '/a\0/b', value: text('x') }, patience),
        client.read({ path: `/${'x'.repeat(3 * 2 ** 20)}` }, patience),
        client.read({ path: '/', transaction: -1 }, patience),
        client.read({ path: '/', transaction: 2 ** 31 - 1 }, patience),
        client.list({ path: '/', pageSize: -1 }, patience),
        client.list({ path: '/', pageToken: 'x'.repeat(2 ** 20) }, patience),
        client.list({ path: '/', pageToken: token([0, '-5']) }, patience),
        client.list({ path: '/', pageToken: token([0, '1e400']) }, patience),
        client.setPermissions({ path: '/', permissions: [] }, patience),
        client.setPermissions({ path: '/', permissions: [permission] }, patience),
        client.setPermissions({ path: '/', permissions: many }, patience),
        client.control({ words: [] }, patience),
        client.control({ words: ['quota', 'x\0y'] }, patience),
        client.control({ words: Array.from({ length: 100_000 }, () => 'x') }, patience),
      ];
      for (const [index, refused] of refusals.entries()) {
        const answer = await refused;
        if (answer.ok) throw new Error(`${index} was done`);
        notStrictEqual(answer.error.code, status.INTERNAL, String(index));
        notStrictEqual(answer.error.code, status.UNAVAILABLE, String(index));
      }
      for (const request of [
        { path: '/\0' },
        { path: '/', depth: -1 },
        { path: '/', depth: 2 ** 31 - 1 },
        { path: `/${'x'.repeat(2 ** 20)}` },
      ]) {
        const what = JSON.stringify(request).slice(0, 50);
        strictEqual(await endOf(client.watch(request)), status.INVALID_ARGUMENT, what);
        strictEqual(await endOf(client.readTree(request)), status.INVALID_ARGUMENT, what);
      }
      good(await client.exists({ path: '/tool' }, patience));
    },
  },
  {
    title: 'a list comes in pages, which are all of the same list',
    run: async ({ client, direct }) => {
      const names = Array.from({ length: 1500 }, (_, child) => `child-${child}`);
      await makeAll(
        direct,
        names.map((name) => `/many/${name}`),
      );
      const pages: string[][] = [];
      let pageToken = '';
      do {
        const page = good(await client.list({ path: '/many', pageSize: 700, pageToken }, patience));
        pages.push([...page.children]);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      deepStrictEqual(
        pages.map(({ length }) => length),
        [700, 700, 100],
      );
      deepStrictEqual(pages.flat(), names);
      const first = good(await client.list({ path: '/many' }, patience));
      strictEqual(first.children.length, 100);
      good(await client.makeDirectory({ path: '/many/another' }, patience));
      const asked = { path: '/many', pageToken: first.nextPageToken };
      const second = await client.list(asked, patience);
      strictEqual(second.ok ? 0 : second.error.code, status.ABORTED);
    },
  },
  {
    title: 'a tree is read as it was when it was asked for, however long that takes',
    run: async ({ client, direct }) => {
      const value = Buffer.alloc(1000, 120);
      const written = Array.from({ length: 400 }, (_, child) =>
        direct.write(`/t/c${child}/v`, value),
      );
      for (const done of await Promise.all(written)) isTrue(done.ok);
      const paths: string[] = [];
      const whole = client.readTree({ path: '/t' }) as AsyncIterable<ReadTreeResponse>;
      for await (const { nodes } of whole) {
        if (paths.length === 0) good(await client.remove({ path: '/t' }, patience));
        for (const { path } of nodes) paths.push(path);
      }
      strictEqual(paths.length, 801);
      deepStrictEqual(paths.slice(0, 4), ['/t', '/t/c0', '/t/c0/v', '/t/c1']);
      good(await client.write({ path: '/t/a/b', value: text('1') }, patience));
      const [shallow] = await allOf(client.readTree({ path: '/t', depth: 1 }));
      deepStrictEqual(shallow?.nodes, [
        { path: '/t', value: Buffer.from(''), permissions: own },
        { path: '/t/a', value: Buffer.from(''), permissions: own },
      ]);
      strictEqual(await endOf(client.readTree({ path: '/none' })), status.NOT_FOUND);
    },
  },
  {
    title: 'a transaction is all or nothing, and conflicts as any other',
    run: async ({ client, direct }) => {
      good(await client.write({ path: '/a', value: text('1') }, patience));
      const { transaction } = good(await client.startTransaction({}, patience));
      good(await client.read({ path: '/a', transaction }, patience));
      good(await client.write({ path: '/b', value: text('inside'), transaction }, patience));
      deepStrictEqual(good(await client.exists({ path: '/b' }, patience)), { exists: false });
      isTrue((await direct.write('/a', '2')).ok);
      const ended = await client.endTransaction({ transaction, commit: true }, patience);
      match(ended.ok ? '' : failureOf(ended.error).message, /^EAGAIN/);
      deepStrictEqual(good(await client.exists({ path: '/b' }, patience)), { exists: false });
      const again = good(await client.startTransaction({}, patience));
      const inside = { path: '/b', transaction: again.transaction };
      good(await client.write({ ...inside, value: text('inside') }, patience));
      deepStrictEqual(good(await client.exists(inside, patience)), { exists: true });
      good(await client.endTransaction({ ...again, commit: true }, patience));
      deepStrictEqual(await direct.readText('/b'), { ok: true, value: 'inside' });
    },
  },
  {
    title: 'a watch streams what changes below its path, as far as it is deep',
    run: async ({ client }) => {
      const write = async (path: string) =>
        good(await client.write({ path, value: text('1') }, patience));
      const whole = await heardFrom(client.watch({ path: '/a' }), 2, () => write('/a/b/c'));
      const shallow = await heardFrom(client.watch({ path: '/a', depth: 1 }), 2, async () => {
        await write('/a/b/c');
        await write('/a/b');
      });
      const root = await heardFrom(client.watch({ path: '/', depth: 0 }), 1, async () => undefined);
      deepStrictEqual([whole, shallow, root], [['/a', '/a/b/c'], ['/a', '/a/b'], ['/']]);
    },
  },
  {
    title: 'a watch that is cancelled leaves nothing behind, and others go on',
    alone: true,
    run: async ({ client }) => {
      const watches = async () => {
        const report = good(await client.control({ words: ['memreport'] }, patience));
        return /^watches: (\d+)$/m.exec(report.text)?.[1];
      };
      const cancelled = new AbortController();
      const stays = new AbortController();
      const other = client.watch({ path: '/a' }, { signal: stays.signal });
      await once(other, 'data');
      const streams = Array.from({ length: 20 }, () =>
        client.watch({ path: '/a' }, { signal: cancelled.signal }),
      );
      await Promise.all(streams.map((stream) => once(stream, 'data')));
      strictEqual(await watches(), '21');
      const ended = streams.map((stream) => once(stream, 'error'));
      cancelled.abort();
      await Promise.all(ended);
      while ((await watches()) !== '1') await new Promise((resolve) => setTimeout(resolve, 5));
      const heard = once(other, 'data');
      good(await client.makeDirectory({ path: '/a/b' }, patience));
      deepStrictEqual((await heard)[0], { path: '/a/b' });
      other.on('error', () => undefined);
      stays.abort();
    },
  },
  {
    title: 'a caller has so many watches and no more',
    alone: true,
    run: async ({ client }) => {
      const cancelled = new AbortController();
      const { signal } = cancelled;
      const streams = Array.from({ length: 250 }, () => client.watch({ path: '/a' }, { signal }));
      for (const stream of streams) stream.on('error', () => undefined);
      await Promise.all(streams.map((stream) => once(stream, 'data')));
      strictEqual(await endOf(client.watch({ path: '/a' })), status.RESOURCE_EXHAUSTED);
      cancelled.abort();
    },
  },
];
