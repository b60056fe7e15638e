import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { milliseconds } from '../../base/units.ts';
import { answer, PoolDatabaseClient, refusal, utf8 } from '../contract/pool-database-client.ts';
import { type GrowingPool, holds, newPool, whileWriting } from './growing-pool.ts';

const patient = { timeout: milliseconds(10_000) };

/** Ends all members as a power cut does. */
async function killAll(pool: GrowingPool): Promise<void> {
  await Promise.all([...pool.members.values()].map(({ process }) => process.end('SIGKILL')));
}

async function save(t: ExecutionContext, pool: GrowingPool, file: string): Promise<void> {
  const [first] = pool.members.values();
  const client = new PoolDatabaseClient(first?.client ?? '');
  const pieces: Uint8Array[] = [];
  const stream = client.maintenance.snapshot({});
  stream.on('data', ({ blob }: { blob: Uint8Array }) => pieces.push(blob));
  await once(stream, 'end');
  client.close();
  writeFileSync(file, Buffer.concat(pieces));
  t.true(pieces.length > 0);
}

async function revisionOf(pool: GrowingPool): Promise<number> {
  const { header } = await pool.call((client) => client.kv.range({ key: utf8('x') }, patient));
  return Number(header?.revision);
}

test('after the loss of a majority what is left goes on as a new pool, and the others join it empty', async (t) => {
  const pool = await newPool(t);
  await pool.begin('a', 'b', 'c');
  const { acknowledged } = await whileWriting(pool, 'w/', () => pool.shows('a', 'b', 'c'));
  await holds(t, pool, 'w/', acknowledged, 'a');
  await killAll(pool);
  const a = pool.member('a');
  const words = ['recover', '--name', 'a', '--data-dir', a.dataDir, '--listen-peer', a.peer];

  const told = await pool.command(...words);
  t.is(told.code, 0, told.output);
  t.regex(told.output, /last entry: index \d+ of term \d+; known to be committed: up to \d+/);
  t.regex(told.output, /is LOST.*Nothing was changed/s);
  t.regex(
    (await pool.command(...words, '--name', 'b')).output,
    /belongs to the member a, not to b/,
  );
  const before = readFileSync(`${a.dataDir}/member.json`, 'utf8');

  const done = await pool.command(...words, '--the-others-never-come-back');
  t.is(done.code, 0, done.output);
  t.regex(done.output, /a is now the only member of the NEW pool [0-9a-f]{16}/);
  t.not(JSON.parse(before).pool, JSON.parse(readFileSync(`${a.dataDir}/member.json`, 'utf8')).pool);
  await a.process.start();
  await pool.shows('a');
  await holds(t, pool, 'w/', acknowledged, 'a');

  const c = pool.member('c');
  await c.process.start();
  await c.process.prints(/the pool has gone on without c: to join it, empty its data directory/);
  const client = new PoolDatabaseClient(c.client);
  t.regex(await refusal(client.kv.put({ key: utf8('old') }, patient)), /UNAVAILABLE/);
  client.close();
  await c.process.end('SIGKILL');

  pool.members.delete('b');
  pool.members.delete('c');
  await pool.join('d');
  await pool.join('e');
  await pool.shows('a', 'd', 'e');
  await holds(t, pool, 'w/', acknowledged, 'd', 'e');
});

/** By how much the revisions of a restored pool are later than the saved ones. */
const leap = 1_000_000_000;

test('a new pool begins with what was saved, and its revisions go on', async (t) => {
  const pool = await newPool(t);
  await pool.begin('a', 'b');
  const { acknowledged } = await whileWriting(pool, 'w/', () => pool.shows('a', 'b'));
  const file = pool.path('saved');
  await save(t, pool, file);
  const revision = await revisionOf(pool);
  await killAll(pool);

  const [a, b] = [pool.member('a'), pool.member('b')];
  const cluster = `a=${a.peer},b=${b.peer}`;
  const restore = (name: string, from = file) =>
    pool.command(
      ...['restore', from, '--name', name, '--data-dir', pool.path(`new-${name}`)],
      ...['--initial-cluster', cluster],
    );
  const broken = readFileSync(file);
  broken[60] = (broken[60] ?? 0) ^ 1;
  writeFileSync(`${file}-broken`, broken);
  t.regex(
    (await restore('a', `${file}-broken`)).output,
    /error: .*-broken cannot be restored from/,
  );
  t.regex((await restore('x')).output, /initialCluster: does not name the member x/);
  for (const name of ['a', 'b']) {
    const made = await restore(name);
    t.is(made.code, 0, made.output);
    t.true(made.output.includes(`saved at revision ${revision}, going on from ${revision + leap}`));
  }
  t.regex((await restore('a')).output, /is not empty/);

  const members = [a, b].map((member) =>
    pool.define(member.name, member, cluster, [], pool.path(`new-${member.name}`)),
  );
  await Promise.all(members.map(({ process }) => process.start()));
  await pool.shows('a', 'b');
  await holds(t, pool, 'w/', acknowledged, 'a', 'b');
  const client = new PoolDatabaseClient(a.client);
  t.teardown(() => client.close());
  const put = await answer(client.kv.put({ key: utf8('more') }, patient));
  t.is(Number(put.header?.revision), revision + leap + 1);
  // What the former pool did after it was saved, the new one never did.
  const watch = client.watch();
  await watch.create({ key: utf8('w/'), startRevision: BigInt(revision + 5) });
  t.like(await watch.next(), { canceled: true, compactRevision: BigInt(revision + leap) });
});
