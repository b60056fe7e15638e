import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { bytes } from '../../../base/units.ts';
import {
  commandEntry,
  firstConfiguration,
  hardState,
  logStoreSuite,
  persist,
} from '../../../test/contract/log-store.ts';
import { logIndex, memberId, term } from '../../core/ids.ts';
import type { OpenError } from './errors.ts';
import { DiskLogStore } from './log-store.ts';

const identity = { pool: 'p1', member: memberId(1) };

const small = bytes(16 * 2 ** 10);

function open(directory: string, owner = identity): ReturnType<typeof DiskLogStore.open> {
  const configuration = firstConfiguration;
  return DiskLogStore.open({ directory, identity: owner, configuration, segmentBytes: small });
}

async function opened(directory: string): Promise<DiskLogStore> {
  const store = await open(directory);
  if (!store.ok) throw new Error(store.error.detail);
  return store.value;
}

async function refusal(directory: string, owner = identity): Promise<OpenError | null> {
  const store = await open(directory, owner);
  if (!store.ok) return store.error;
  await store.value.close();
  return null;
}

async function temporary(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'flotilla-log-'));
}

logStoreSuite('disk', async () => {
  const directory = await temporary();
  return {
    open: () => opened(directory),
    remove: () => rm(directory, { recursive: true }),
  };
});

/** A directory with `count` writes of one entry each, closed again. */
async function filled(count: number, size = 10): Promise<string> {
  const directory = await temporary();
  const store = await opened(directory);
  await store.write([persist({ hardState: hardState(1, 1, 0) })]);
  for (let index = 1; index <= count; index += 1)
    await store.write([persist({ entries: [commandEntry(index, 1, 'v'.repeat(size))] })]);
  await store.close();
  return directory;
}

async function segments(directory: string): Promise<string[]> {
  const names = await readdir(join(directory, 'log'));
  return names.sort().map((name) => join(directory, 'log', name));
}

/** Changes one byte of a file, counted from the end of what is not zero. */
async function damage(path: string, fromEnd: number): Promise<void> {
  const content = await readFile(path);
  const end = content.findLastIndex((byte) => byte !== 0);
  const at = end - fromEnd;
  content[at] = (content[at] ?? 0) ^ 0xff;
  await writeFile(path, content);
}

/** Cuts off the last bytes of what is not zero, as a crash in the middle of a write does. */
async function tear(path: string, count: number): Promise<void> {
  const content = await readFile(path);
  const end = content.findLastIndex((byte) => byte !== 0) + 1;
  await writeFile(path, content.fill(0, end - count, end));
}

test('a write that a crash cut short is cut from the end, and the log goes on', async (t) => {
  const directory = await filled(5);
  const [path = ''] = await segments(directory);
  await tear(path, 10);
  const store = await opened(directory);
  t.is(store.recovered.entries.length, 4);
  t.true(store.cutBytes > 0);
  await store.write([persist({ entries: [commandEntry(5, 1, 'again')] })]);
  await store.close();
  const after = await opened(directory);
  t.is(after.cutBytes, 0);
  t.is(after.recovered.entries.length, 5);
  await after.close();
  await rm(directory, { recursive: true });
});

test('cutting the file at any byte of the last write loses that write alone', async (t) => {
  const directory = await filled(3);
  const [path = ''] = await segments(directory);
  const whole = await readFile(path);
  const end = whole.findLastIndex((byte) => byte !== 0);
  // Less would leave nothing out but what fills the frame up.
  for (let cut = 8; cut < 40; cut += 3) {
    const torn = Buffer.from(whole);
    torn.fill(0, end - cut);
    await writeFile(path, torn);
    const store = await opened(directory);
    t.is(store.recovered.entries.length, 2, `cut ${cut} bytes before the end`);
    await store.close();
  }
  await rm(directory, { recursive: true });
});

test('a bit that changes in the last write is no crash: the member refuses to start', async (t) => {
  const directory = await filled(3, 900);
  const [path = ''] = await segments(directory);
  const whole = await readFile(path);
  const end = whole.findLastIndex((byte) => byte !== 0) + 1;
  // From the frame's header on: 24 bytes of it, 37 of the entry, the value, and 7 that fill it up.
  for (let at = end - 24 - 37 - 900 - 7; at < end - 7; at += 31) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 4;
    await writeFile(path, changed);
    const error = await refusal(directory);
    t.is(error?.code, 'damaged', `byte ${at}`);
    t.regex(error?.detail ?? '', /flotilla pool member add NAME --peer/);
  }
  await writeFile(path, whole);
  t.is(await refusal(directory), null);
  await rm(directory, { recursive: true });
});

test('a write of which single sectors are missing was cut short by a crash', async (t) => {
  const directory = await filled(3, 3000);
  const [path = ''] = await segments(directory);
  const whole = await readFile(path);
  const end = whole.findLastIndex((byte) => byte !== 0) + 1;
  for (let sector = Math.ceil((end - 3000) / 512); sector * 512 < end; sector += 1) {
    await writeFile(path, Buffer.from(whole).fill(0, sector * 512, (sector + 1) * 512));
    const store = await opened(directory);
    t.is(store.recovered.entries.length, 2, `sector ${sector}`);
    await store.close();
  }
  await rm(directory, { recursive: true });
});

test('damage before the last write refuses to start, and says how to join again', async (t) => {
  const directory = await filled(5);
  const [path = ''] = await segments(directory);
  await damage(path, 250);
  const error = await refusal(directory);
  t.is(error?.code, 'damaged');
  t.regex(error?.detail ?? '', /add it again as a new member/);
  await rm(directory, { recursive: true });
});

test('a damaged length in a frame is not taken for the end of the log', async (t) => {
  const directory = await filled(5);
  const [path = ''] = await segments(directory);
  const content = await readFile(path);
  // The first frame's header follows the segment's.
  content.writeUInt32LE(0xff_ff_ff, 128 + 4);
  await writeFile(path, content);
  t.is((await refusal(directory))?.code, 'damaged');
  await rm(directory, { recursive: true });
});

test('a log that spans segments is read as one, and a missing segment is damage', async (t) => {
  const directory = await filled(60, 1000);
  const files = await segments(directory);
  t.true(files.length > 3);
  const store = await opened(directory);
  t.is(store.recovered.entries.length, 60);
  await store.close();
  await rm(files[1] ?? '');
  t.is((await refusal(directory))?.code, 'damaged');
  await rm(directory, { recursive: true });
});

test('damage at the end of a segment that is not the last refuses to start', async (t) => {
  const directory = await filled(60, 1000);
  const [first = ''] = await segments(directory);
  await damage(first, 3);
  t.is((await refusal(directory))?.code, 'damaged');
  await rm(directory, { recursive: true });
});

test('an entry larger than a segment gets a segment of its own size', async (t) => {
  const directory = await filled(2, 100_000);
  const store = await opened(directory);
  t.is(store.recovered.entries.length, 2);
  await store.write([persist({ entries: [commandEntry(3, 1)] })]);
  await store.close();
  const after = await opened(directory);
  t.is(after.recovered.entries.length, 3);
  await after.close();
  await rm(directory, { recursive: true });
});

test('segments before a snapshot are deleted, and the rest is enough to start', async (t) => {
  const directory = await filled(60, 1000);
  const before = (await segments(directory)).length;
  const store = await opened(directory);
  const meta = { index: logIndex(50), term: term(1), configuration: firstConfiguration };
  t.true((await store.saveSnapshot(meta, [Buffer.from('state')])).ok);
  store.compact(logIndex(50));
  await store.close();
  t.true((await segments(directory)).length < before);
  const after = await opened(directory);
  t.is(after.recovered.entries.at(-1)?.index, logIndex(60));
  t.deepEqual(after.recovered.hardState, hardState(1, 1, 0));
  t.is(after.recovered.snapshot.index, logIndex(50));
  await after.close();
  await rm(directory, { recursive: true });
});

test('a snapshot is written in turns, and other work goes on between its chunks', async (t) => {
  const directory = await filled(5);
  const store = await opened(directory);
  const meta = { index: logIndex(5), term: term(1), configuration: firstConfiguration };
  let turns = 0;
  let working = true;
  const work = () => {
    turns += 1;
    if (working) setImmediate(work);
  };
  work();
  const seen: number[] = [];
  function* chunks() {
    for (let count = 0; count < 5; count += 1) {
      seen.push(turns);
      yield Buffer.from(`${count}`);
    }
  }
  t.true((await store.saveSnapshot(meta, chunks())).ok);
  working = false;
  t.is(new Set(seen).size, 5);
  const loaded = store.loadSnapshot(logIndex(5));
  t.is(loaded.ok && Buffer.concat([...loaded.value]).toString(), '01234');
  await store.close();
  await rm(directory, { recursive: true });
});

test('a segment that begins with what replaces older entries is enough without those', async (t) => {
  const directory = await filled(12, 1000);
  const store = await opened(directory);
  // Does not fit the first segment any more, and begins before its end.
  await store.write([persist({ entries: [commandEntry(10, 2, 'v'.repeat(8000))] })]);
  for (let index = 11; index <= 30; index += 1)
    await store.write([persist({ entries: [commandEntry(index, 2)] })]);
  const meta = { index: logIndex(20), term: term(2), configuration: firstConfiguration };
  await store.saveSnapshot(meta, [Buffer.from('state')]);
  store.compact(logIndex(20));
  await store.close();
  t.is((await segments(directory)).length, 1);
  const after = await opened(directory);
  t.is(after.recovered.snapshot.index, logIndex(20));
  t.is(after.recovered.entries.at(-1)?.index, logIndex(30));
  await after.close();
  await rm(directory, { recursive: true });
});

test('segments that a compaction did not come to delete do no harm, whichever they are', async (t) => {
  const directory = await filled(60, 1000);
  const [first = ''] = await segments(directory);
  const content = await readFile(first);
  const store = await opened(directory);
  const meta = { index: logIndex(50), term: term(1), configuration: firstConfiguration };
  await store.saveSnapshot(meta, [Buffer.from('state')]);
  store.compact(logIndex(50));
  await store.close();
  await writeFile(first, content);
  const after = await opened(directory);
  t.is(after.recovered.entries.at(-1)?.index, logIndex(60));
  await after.close();
  await rm(directory, { recursive: true });
});

test('a lost or damaged snapshot refuses to start', async (t) => {
  const directory = await filled(60, 1000);
  const store = await opened(directory);
  const meta = { index: logIndex(50), term: term(1), configuration: firstConfiguration };
  await store.saveSnapshot(meta, [Buffer.from('state')]);
  store.compact(logIndex(50));
  await store.close();
  const [name = ''] = await readdir(join(directory, 'snapshot'));
  const path = join(directory, 'snapshot', name);
  await damage(path, 2);
  t.is((await refusal(directory))?.code, 'damaged');
  await rm(path);
  t.is((await refusal(directory))?.code, 'damaged');
  await rm(directory, { recursive: true });
});

test('a directory that is in use, or of another member or pool, is refused', async (t) => {
  const directory = await filled(1);
  const store = await opened(directory);
  const second = await refusal(directory);
  t.is(second?.code, 'locked');
  t.regex(second?.detail ?? '', /another process of this machine uses/);
  await store.close();
  t.is((await refusal(directory, { pool: 'p1', member: memberId(2) }))?.code, 'foreign');
  t.is((await refusal(directory, { pool: 'p2', member: memberId(1) }))?.code, 'foreign');
  t.is(await refusal(directory), null);
  await rm(directory, { recursive: true });
});

test('a directory that lost its log or its member.json is refused', async (t) => {
  const directory = await filled(2);
  const [path = ''] = await segments(directory);
  const log = await readFile(path);
  await rm(path);
  t.regex((await refusal(directory))?.detail ?? '', /its log is gone/);
  await writeFile(path, log);
  const identityFile = join(directory, 'member.json');
  await writeFile(identityFile, '{"format":1');
  t.is((await refusal(directory))?.code, 'damaged');
  await rm(identityFile);
  t.regex((await refusal(directory))?.detail ?? '', /its member.json is gone/);
  await rm(directory, { recursive: true });
});
