import test from 'ava';
import fc from 'fast-check';
import { type Event, type NaiveReply, NaiveStore } from '../../test/model/naive-store.ts';
import {
  allKeys,
  bytes,
  commandOf,
  commandsOf,
  keys,
  manyCommandsOf,
  rangeOf,
  readOf,
  revisionOf,
} from '../../test/model/store-commands.ts';
import { versionOverhead } from './bounds.ts';
import { type ByteString, bufferOf } from './byte-string.ts';
import { decodeCommand, encodeCommand } from './command-codec.ts';
import { inRange } from './key-range.ts';
import type { OperationReply, StoreReply } from './reply.ts';
import type { DataCommand, RangeRequest } from './request.ts';
import { Store } from './store.ts';
import { isTombstone, type LeaseId, type Revision, type Version } from './version.ts';

const flag = fc.boolean();

/** What both stores say, in the naive one's words. */
function plain(version: Version | null): Event | null {
  if (version === null) return null;
  const { key, value, lease, createRevision: create, modRevision: mod } = version;
  return { key, value, lease, create, mod, version: version.version };
}

function plainReply(reply: OperationReply | StoreReply): NaiveReply {
  if ('ok' in reply) {
    if (!reply.ok) return reply.error;
    const { value } = reply;
    switch (value.kind) {
      case 'compact':
      case 'grant':
      case 'revoke':
      case 'renew':
      case 'expire':
      case 'describe':
      case 'raise':
      case 'clear':
      case 'auth':
        return value;
      default:
        return plainReply(value);
    }
  }
  switch (reply.kind) {
    case 'range': {
      const versions = reply.versions.map(plain);
      return { ...reply, versions };
    }
    case 'put':
      return { ...reply, previous: plain(reply.previous) };
    case 'delete':
      return { ...reply, previous: reply.previous.map(plain) };
    case 'txn':
      return { ...reply, replies: reply.replies.map(plainReply) };
  }
}

function applyAll(store: Store, naive: NaiveStore, commands: readonly DataCommand[]): void {
  for (const [index, command] of commands.entries()) {
    const got = plainReply(store.apply(index, encodeCommand(command)));
    const wanted = naive.apply(command);
    if (JSON.stringify(got, bigints) !== JSON.stringify(wanted, bigints))
      throw new Error(
        `command ${index} ${JSON.stringify(command, bigints)}:\n got ${JSON.stringify(got, bigints)}\nwant ${JSON.stringify(wanted, bigints)}`,
      );
  }
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function everything(revision: Revision): RangeRequest {
  return {
    kind: 'range',
    range: allKeys,
    limit: 0,
    revision,
    sortTarget: 'key',
    descending: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0 as Revision,
    maxModRevision: 0 as Revision,
    minCreateRevision: 0 as Revision,
    maxCreateRevision: 0 as Revision,
  };
}

function assertSame(
  t: { deepEqual(a: unknown, b: unknown): void },
  store: Store,
  naive: NaiveStore,
) {
  for (let revision = 1; revision <= naive.revision + 1; revision += 1) {
    const request = everything(revision as Revision);
    const got = store.range(request);
    t.deepEqual(plainReply(got.ok ? got.value : got), naive.read(request));
  }
  t.deepEqual(store.alarms.all(), naive.alarms());
  for (const member of [0, 1, 2, 3]) t.deepEqual(store.member(member), naive.member(member));
  t.deepEqual(
    [...store.leases()].map(({ id, ttl, renewals, keys }) => ({
      id,
      ttl,
      renewals,
      keys: [...keys].sort(),
    })),
    naive.leases(),
  );
}

test('the store answers as a naive one does, and reads the same at every revision', (t) => {
  fc.assert(
    fc.property(commandsOf, fc.array(readOf, { maxLength: 20 }), (commands, reads) => {
      const store = new Store();
      const naive = new NaiveStore();
      applyAll(store, naive, commands);
      assertSame(t, store, naive);
      for (const read of reads) {
        const got = store.range(read);
        t.deepEqual(plainReply(got.ok ? got.value : got), naive.read(read));
      }
    }),
    { numRuns: 300 },
  );
});

test('a snapshot restores the same store, though commands are applied while it is read', (t) => {
  fc.assert(
    fc.property(commandsOf, commandsOf, (before, after) => {
      const store = new Store();
      const naive = new NaiveStore();
      applyAll(store, naive, before);
      const snapshot = store.snapshot();
      for (const [index, command] of after.entries()) store.apply(index, encodeCommand(command));
      const restored = new Store();
      t.deepEqual(restored.restore([...snapshot]), { ok: true, value: undefined });
      assertSame(t, restored, naive);
      applyAll(restored, naive, after);
      assertSame(t, restored, naive);
    }),
    { numRuns: 150 },
  );
});

test('what a compaction gave up is freed: as much is left as a snapshot would bring', (t) => {
  fc.assert(
    fc.property(manyCommandsOf, (commands) => {
      const store = new Store();
      const naive = new NaiveStore();
      applyAll(store, naive, commands);
      while (store.trim(7));
      const restored = new Store();
      t.true(restored.restore(store.snapshot()).ok);
      // A key that was deleted before and written after may keep its tombstone.
      const tombstones = keys.length * (versionOverhead + 1);
      t.true(store.size >= restored.size && store.size <= restored.size + tombstones);
      t.false(restored.trim(1000));
      assertSame(t, store, naive);
    }),
    { numRuns: 150 },
  );
});

test('a watcher gets every change of its range once and in order, whenever it takes', (t) => {
  const takeOf = fc.record({ at: fc.nat(60), limit: fc.integer({ min: 1, max: 4 }) });
  fc.assert(
    fc.property(
      manyCommandsOf,
      fc.oneof(rangeOf, fc.constant(allKeys)),
      fc.record({ start: revisionOf, puts: flag, deletes: flag }),
      fc.nat(90),
      fc.array(takeOf, { maxLength: 20 }),
      (commands, range, options, openAt, takes) => {
        const store = new Store();
        const naive = new NaiveStore();
        const seen: (Event | null)[] = [];
        const start = Math.max(1, options.start) as Revision;
        const open = () => store.watches.open({ ...options, start, range, wake: () => {} });
        let watcher: ReturnType<typeof open> | null = null;
        let compacted = false;
        const take = (limit: number): boolean => {
          if (watcher === null || compacted) return false;
          const taken = store.watches.take(watcher, limit);
          if (taken.kind === 'compacted') compacted = true;
          else seen.push(...taken.versions.map(plain));
          return taken.kind === 'changes' && taken.more;
        };
        for (const [index, command] of commands.entries()) {
          if (index === openAt) watcher = open();
          for (const each of takes) if (each.at === index) take(each.limit);
          applyAll(store, naive, [command]);
        }
        watcher ??= open();
        while (take(3));
        const owed = naive
          .events()
          .filter(
            (event) =>
              event.mod >= start &&
              inRange(range, event.key) &&
              (event.version === 0 ? options.deletes : options.puts),
          );
        if (compacted) t.deepEqual(seen, owed.slice(0, seen.length));
        else t.deepEqual(seen, owed);
        t.true(compacted || store.watches.isCaughtUp(watcher));
      },
    ),
    { numRuns: 300 },
  );
});

test('all changes are read from a compacted revision on, also a deletion at that revision', (t) => {
  fc.assert(
    fc.property(manyCommandsOf, fc.boolean(), (commands, restoring) => {
      const store = new Store();
      const naive = new NaiveStore();
      applyAll(store, naive, commands);
      const revision = naive.revision as Revision;
      for (let at = Math.max(naive.compacted + 1, revision - 4); at <= revision; at += 1)
        applyAll(store, naive, [{ kind: 'compact', revision: at as Revision }]);
      const source = restoring ? new Store() : store;
      if (restoring) t.true(source.restore(store.snapshot()).ok);
      const start = naive.compacted as Revision;
      const request = { range: allKeys, start, puts: true, deletes: true, wake: () => {} };
      const taken = source.watches.take(source.watches.open(request), 1000);
      const owed = naive.events().filter((event) => event.mod >= start);
      t.deepEqual(taken.kind === 'changes' && taken.versions.map(plain), owed);
    }),
    { numRuns: 100 },
  );
});

test('any command comes back from its encoding as it was', (t) => {
  fc.assert(
    fc.property(commandOf, (command) => {
      t.deepEqual(decodeCommand(encodeCommand(command)), { ok: true, value: command });
    }),
  );
});

test('any bytes are a command or are refused with a reason', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
      const decoded = decodeCommand(noise);
      t.true(decoded.ok || decoded.error.includes('kind'));
    }),
  );
});

test('a damaged, reordered or shortened snapshot is refused, and the store stays as it was', (t) => {
  const store = new Store();
  for (let index = 1; index < 3000; index += 1)
    store.apply(
      index,
      encodeCommand({
        kind: 'put',
        key: bytes(`key-${index}`),
        value: bytes('v'.repeat(200)),
        lease: 0n as LeaseId,
        withPrevious: false,
        ignoreValue: false,
        ignoreLease: false,
      }),
    );
  const chunks = [...store.snapshot()];
  t.true(chunks.length >= 3);
  const damaged = chunks.map((chunk) => Buffer.from(chunk));
  damaged[1]?.writeUInt8(0xff ^ (damaged[1]?.readUInt8(1000) ?? 0), 1000);
  const bad = [damaged, chunks.slice(0, -1), chunks.toReversed(), [...chunks, ...chunks], []];
  const other = new Store();
  for (const each of bad) {
    const restored = other.restore(each);
    t.regex(restored.ok ? '' : restored.error, /snapshot/);
    t.is(other.revision, 1 as Revision);
  }
  t.true(other.restore(chunks).ok);
  t.is(other.revision, store.revision);
});

test('a key and a value may be any bytes', (t) => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  t.deepEqual(bufferOf(all.toString('latin1') as ByteString), all);
  t.false(isTombstone({ version: 1 } as Version));
});
