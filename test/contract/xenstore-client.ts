import { deepStrictEqual, ok as isTrue, strictEqual } from 'node:assert/strict';
import { fail, ok, type Result } from '../../base/result.ts';
import {
  type ClientFailure,
  type ClientOptions,
  readTree,
  type Watch,
  type WatchEvent,
  type XenstoreClient,
} from '../../services/xenstore/client/index.ts';
import type { DomainId, Permissions } from '../../services/xenstore/core/permissions.ts';

/** A way to a xenstored, to be held to the contract of the client. */
export interface XenstoreClientSubject {
  /** A connection of its own, of the control domain. */
  open(options?: Partial<ClientOptions>): Promise<XenstoreClient>;
  /** A node of which nobody else knows; it does not exist yet. */
  readonly root: string;
}

/** One case; those that say so are about messages that only the newest xenstored has. */
export interface XenstoreClientCase {
  readonly title: string;
  readonly newest?: true;
  run(subject: XenstoreClientSubject): Promise<void>;
}

/** The value of what has to succeed. */
function good<Value>(result: Result<Value, ClientFailure>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** The code of what has to fail. */
function codeOf(result: Result<unknown, ClientFailure>): string {
  return result.ok ? 'succeeded' : result.error.code;
}

async function next(watch: Watch): Promise<WatchEvent> {
  const { value } = await watch.next();
  if (value === undefined) throw new Error('the watch has ended');
  return value;
}

/** Everybody may read. */
const permissions: Permissions = [{ domain: 0 as DomainId, read: true, write: false }];

export const xenstoreClientContract: readonly XenstoreClientCase[] = [
  {
    title: 'a value of any bytes is read as it was written, and gone when it is removed',
    run: async ({ open, root }) => {
      const client = await open();
      const value = Uint8Array.from({ length: 256 }, (_, index) => index);
      good(await client.write(`${root}/a/b`, value));
      deepStrictEqual([...good(await client.read(`${root}/a/b`))], [...value]);
      good(await client.write(`${root}/a/b`, 'grüß'));
      strictEqual(good(await client.readText(`${root}/a/b`)), 'grüß');
      good(await client.mkdir(`${root}/a/c`));
      deepStrictEqual([...good(await client.list(`${root}/a`))].sort(), ['b', 'c']);
      good(await client.remove(`${root}/a`));
      strictEqual(codeOf(await client.read(`${root}/a/b`)), 'ENOENT');
      strictEqual(codeOf(await client.remove(`${root}/a/b`)), 'ENOENT');
      deepStrictEqual(good(await client.list(root)), []);
      client.close();
    },
  },
  {
    title: 'what cannot be sent is refused without harm to the connection',
    run: async ({ open, root }) => {
      const client = await open();
      strictEqual(codeOf(await client.write(root, new Uint8Array(5000))), 'E2BIG');
      strictEqual(codeOf(await client.read(`${root}\0x`)), 'EINVAL');
      strictEqual(codeOf(await client.read(`${root}/\u{1f600}`)), 'EINVAL');
      strictEqual(codeOf(await client.read(`${root}//a`)), 'EINVAL');
      good(await client.write(root, 'still here'));
      client.close();
    },
  },
  {
    title: 'a list that is longer than a reply is read whole',
    run: async ({ open, root }) => {
      const client = await open();
      const names = Array.from({ length: 600 }, (_, index) => `child-with-a-name-${index}`);
      await Promise.all(names.map(async (name) => good(await client.mkdir(`${root}/${name}`))));
      deepStrictEqual([...good(await client.list(root))].sort(), names.sort());
      const inside = await client.transaction((transaction) => transaction.list(root));
      strictEqual(good(inside).length, 600);
      client.close();
    },
  },
  {
    title: 'a tree is read whole, so many levels of it, or not at all where it is too large',
    run: async ({ open, root }) => {
      const client = await open();
      for (const path of ['a/b/c', 'a/d', 'e']) good(await client.write(`${root}/${path}`, path));
      good(await client.setPermissions(`${root}/e`, permissions));
      const tree = good(await readTree(client, root));
      const paths = tree.map(({ path }) => path);
      deepStrictEqual(
        [...paths].sort(),
        ['', '/a', '/a/b', '/a/b/c', '/a/d', '/e'].map((path) => `${root}${path}`),
      );
      for (const [index, path] of paths.entries())
        isTrue(path === root || paths.indexOf(path.slice(0, path.lastIndexOf('/'))) < index);
      const last = tree.find(({ path }) => path === `${root}/e`);
      deepStrictEqual(last?.permissions, permissions);
      strictEqual(Buffer.from(last?.value ?? []).toString(), 'e');
      strictEqual(good(await readTree(client, root, { depth: 0 })).length, 1);
      strictEqual(good(await readTree(client, root, { depth: 1 })).length, 3);
      strictEqual(good(await readTree(client, root, { nodesMax: 6 })).length, 6);
      strictEqual(codeOf(await readTree(client, root, { nodesMax: 5 })), 'E2BIG');
      strictEqual(codeOf(await readTree(client, `${root}/none`)), 'ENOENT');
      client.close();
    },
  },
  {
    title: 'a transaction that is begun is open until it is ended, and over whatever comes of it',
    run: async ({ open, root }) => {
      const client = await open();
      isTrue(client.connected);
      const kept = good(await client.begin());
      const dropped = good(await client.begin());
      good(await kept.write(`${root}/kept`, '1'));
      good(await dropped.write(`${root}/dropped`, '1'));
      strictEqual(codeOf(await client.read(`${root}/kept`)), 'ENOENT');
      good(await dropped.end(false));
      good(await kept.end(true));
      deepStrictEqual(good(await client.list(root)), ['kept']);
      strictEqual(codeOf(await kept.end(true)), 'ENOENT');
      client.close();
      isTrue(!client.connected);
    },
  },
  {
    title: 'permissions are read as they were set',
    run: async ({ open, root }) => {
      const client = await open();
      good(await client.write(root, ''));
      good(await client.setPermissions(root, permissions));
      deepStrictEqual(good(await client.getPermissions(root)), permissions);
      client.close();
    },
  },
  {
    title: 'many requests are on their way at once, and each has its own reply',
    run: async ({ open, root }) => {
      const client = await open({ inFlightMax: 16 });
      const numbers = Array.from({ length: 500 }, (_, index) => index);
      await Promise.all(
        numbers.map(async (index) => good(await client.write(`${root}/${index}`, String(index)))),
      );
      const values = await Promise.all(numbers.map((index) => client.readText(`${root}/${index}`)));
      deepStrictEqual(values.map(good), numbers.map(String));
      client.close();
    },
  },
  {
    title: 'more requests than may wait are refused',
    run: async ({ open, root }) => {
      const client = await open({ inFlightMax: 1, waitingMax: 1 });
      const codes = await Promise.all(
        Array.from({ length: 50 }, async (_, index) =>
          codeOf(await client.mkdir(`${root}/${index}`)),
        ),
      );
      isTrue(codes.includes('succeeded'));
      isTrue(codes.every((code) => code === 'succeeded' || code === 'OVERLOADED'));
      good(await client.mkdir(`${root}/after`));
      client.close();
    },
  },
  {
    title: 'a watch tells at once, then of changes at and below its path, until it is given up',
    run: async ({ open, root }) => {
      const client = await open();
      const other = await open();
      good(await client.write(`${root}/a`, '1'));
      const watch = good(await client.watch(`${root}/a`));
      deepStrictEqual(await next(watch), { kind: 'changed', path: `${root}/a` });
      good(await other.write(`${root}/a/b`, '2'));
      deepStrictEqual(await next(watch), { kind: 'changed', path: `${root}/a/b` });
      const waiting = watch.next();
      good(await watch.unsubscribe());
      strictEqual((await waiting).done, true);
      good(await other.write(`${root}/a/b`, '3'));
      strictEqual((await watch.next()).done, true);
      client.close();
      other.close();
    },
  },
  {
    title: 'a reader that leaves its loop has given the watch up',
    run: async ({ open, root }) => {
      const client = await open();
      const watch = good(await client.watch(root));
      for await (const event of watch) {
        strictEqual(event.kind, 'changed');
        break;
      }
      strictEqual((await watch.next()).done, true);
      client.close();
    },
  },
  {
    title: 'a watch that nobody reads keeps each path once, and beyond its bound a single `missed`',
    run: async ({ open, root }) => {
      const client = await open({ watchBacklogMax: 4 });
      const watch = good(await client.watch(root));
      for (let round = 0; round < 3; round += 1) good(await client.write(`${root}/same`, 'x'));
      deepStrictEqual(await next(watch), { kind: 'changed', path: root });
      deepStrictEqual(await next(watch), { kind: 'changed', path: `${root}/same` });
      for (let index = 0; index < 6; index += 1) good(await client.mkdir(`${root}/${index}`));
      // What the server sends after the last reply comes before the reply to one more request.
      good(await client.list(root));
      deepStrictEqual(await next(watch), { kind: 'missed' });
      client.close();
    },
  },
  {
    title: 'a transaction does all that it does at once, or nothing',
    run: async ({ open, root }) => {
      const client = await open();
      const sum = await client.transaction(async (transaction) => {
        good(await transaction.write(`${root}/a`, '1'));
        good(await transaction.write(`${root}/b`, '2'));
        strictEqual(codeOf(await client.read(`${root}/a`)), 'ENOENT');
        return ok(3);
      });
      deepStrictEqual(sum, ok(3));
      strictEqual(good(await client.readText(`${root}/b`)), '2');
      const given = await client.transaction(async (transaction) => {
        good(await transaction.write(`${root}/a`, 'never'));
        return fail('changed my mind');
      });
      deepStrictEqual(given, fail('changed my mind'));
      strictEqual(good(await client.readText(`${root}/a`)), '1');
      client.close();
    },
  },
  {
    title: 'a transaction whose body throws has done nothing, and the error is the caller’s',
    run: async ({ open, root }) => {
      const client = await open();
      const thrown = await client
        .transaction(async (transaction) => {
          good(await transaction.write(`${root}/a`, 'never'));
          throw new Error('of the caller');
        })
        .catch((error: unknown) => (error instanceof Error ? error.message : 'another'));
      strictEqual(thrown, 'of the caller');
      strictEqual(codeOf(await client.read(`${root}/a`)), 'ENOENT');
      client.close();
    },
  },
  {
    title: 'transactions that spoil each other are tried again until each has counted',
    run: async ({ open, root }) => {
      const clients = await Promise.all([open(), open(), open()]);
      const [first] = clients;
      good(await first.write(`${root}/counter`, '0'));
      const count = (client: XenstoreClient) =>
        client.transaction(async (transaction) => {
          const value = Number(good(await transaction.readText(`${root}/counter`)));
          return transaction.write(`${root}/counter`, String(value + 1));
        });
      await Promise.all(
        clients.map(async (client) => {
          for (let round = 0; round < 10; round += 1) good(await count(client));
        }),
      );
      strictEqual(good(await first.readText(`${root}/counter`)), '30');
      for (const client of clients) client.close();
    },
  },
  {
    title: 'a transaction that is spoiled every time fails as EAGAIN after its attempts',
    run: async ({ open, root }) => {
      const client = await open({ transactionAttempts: 3 });
      good(await client.write(`${root}/a`, '0'));
      let attempts = 0;
      const spoiled = await client.transaction(async (transaction) => {
        attempts += 1;
        good(await transaction.read(`${root}/a`));
        good(await client.write(`${root}/a`, String(attempts)));
        return transaction.write(`${root}/b`, 'x');
      });
      strictEqual(codeOf(spoiled), 'EAGAIN');
      strictEqual(attempts, 3);
      client.close();
    },
  },
  {
    title: 'resetting ends all watches of the client',
    run: async ({ open, root }) => {
      const client = await open();
      const watch = good(await client.watch(root));
      await next(watch);
      good(await client.resetWatches());
      const event = await next(watch);
      strictEqual(event.kind === 'ended' && event.failure.code, 'ENOENT');
      client.close();
    },
  },
  {
    title: 'domains have paths, and are introduced or not',
    run: async ({ open }) => {
      const client = await open();
      strictEqual(good(await client.getDomainPath(7)), '/local/domain/7');
      strictEqual(good(await client.isDomainIntroduced(31_000)), false);
      strictEqual(codeOf(await client.release(31_000)), 'ENOENT');
      strictEqual(codeOf(await client.setTarget(31_000, 31_001)), 'ENOENT');
      client.close();
    },
  },
  {
    title: 'commands of CONTROL are answered by text',
    run: async ({ open }) => {
      const client = await open();
      isTrue(good(await client.control('help')).includes('memreport'));
      strictEqual(codeOf(await client.control('no-such-command')), 'EINVAL');
      client.close();
    },
  },
  {
    title: 'features and quotas are read and set',
    newest: true,
    run: async ({ open }) => {
      const client = await open();
      strictEqual(good(await client.getFeatures()) & 4, 4);
      isTrue(good(await client.quotaNames()).includes('watches'));
      const before = good(await client.getQuota('watches'));
      good(await client.setQuota('watches', before + 1));
      strictEqual(good(await client.getQuota('watches')), before + 1);
      good(await client.setQuota('watches', before));
      client.close();
    },
  },
  {
    title: 'a watch with a depth tells of nothing deeper',
    newest: true,
    run: async ({ open, root }) => {
      const client = await open();
      good(await client.mkdir(`${root}/a/b`));
      const watch = good(await client.watch(root, { depth: 1 }));
      await next(watch);
      good(await client.write(`${root}/a/b`, 'deep'));
      good(await client.write(`${root}/a`, 'near'));
      deepStrictEqual(await next(watch), { kind: 'changed', path: `${root}/a` });
      client.close();
    },
  },
  {
    title: 'a client that is closed fails what waits, and ends its watches',
    run: async ({ open, root }) => {
      const client = await open();
      const watch = good(await client.watch(root));
      await next(watch);
      const waiting = watch.next();
      client.close();
      const { value } = await waiting;
      strictEqual(value?.kind === 'ended' && value.failure.code, 'DISCONNECTED');
      strictEqual((await watch.next()).done, true);
      strictEqual(codeOf(await client.read(root)), 'DISCONNECTED');
    },
  },
];
