import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { signingKey } from '../../test/fixtures/images.ts';
import { encodeSeed, type HostSeed } from '../host-seed/seed.ts';
import { pretendSeed } from '../testing/pretend-seed.ts';
import { takeSeed } from './seed-source.ts';

const key = signingKey('operator');

/** A host with a place for its seed, and a disk that may hold one. */
async function host(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-seed-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const disk = join(directory, 'disk');
  const kept = join(directory, 'data', 'host-seed');
  const take = (commandLine = `panic=1 flotilla.host-seed=${disk} quiet\n`) =>
    takeSeed({ commandLine, kept }, key.publicKey);
  const write = async (changes: Partial<HostSeed> = {}, signer = key) => {
    const encoded = encodeSeed(pretendSeed(changes), signer);
    if (!encoded.ok) throw new Error(encoded.error);
    await writeFile(disk, encoded.value);
  };
  return { disk, kept, take, write };
}

/** The sentence of a refusal. */
async function refusal(taken: ReturnType<typeof takeSeed>): Promise<string> {
  const seed = await taken;
  return seed.ok ? 'taken' : seed.error;
}

test('a host takes the seed of its disk, and goes on with it when the disk is gone', async (t) => {
  const { disk, kept, take, write } = await host(t);
  await write();
  t.deepEqual(await take(), { ok: true, value: pretendSeed() });
  t.is((await stat(kept)).mode & 0o077, 0, 'it holds keys');
  await rm(disk);
  t.deepEqual(await take(), { ok: true, value: pretendSeed() });
  t.deepEqual(await take('panic=1\n'), { ok: true, value: pretendSeed() });
});

test('what was kept is believed no more than the disk', async (t) => {
  const { disk, kept, take, write } = await host(t);
  await write();
  await take();
  await rm(disk);
  const content = await readFile(kept, 'utf8');
  await writeFile(kept, content.replace('10.0.0.11', '10.0.0.66'));
  t.regex(await refusal(take('')), /host-seed holds a seed that .*was changed: write the seed/);
});

test('without a seed, or with a wrong one, it is said what to do', async (t) => {
  const { disk, take, write } = await host(t);
  t.regex(await refusal(take()), /disk is not there: make a seed with flotilla host seed/);
  await writeFile(disk, Buffer.alloc(8192));
  t.regex(await refusal(take()), /disk holds no seed: make a seed with flotilla host seed/);
  await write({}, signingKey('stranger'));
  t.regex(await refusal(take()), new RegExp(`takes seeds of key ${key.publicKey.id}; sign`));
});

test('a wrong disk is told, whatever was kept', async (t) => {
  const { disk, take, write } = await host(t);
  await write();
  await take();
  await writeFile(disk, 'something else');
  t.regex(await refusal(take()), /disk holds no seed/);
});

test('a newer seed replaces the older, and not the other way round', async (t) => {
  const { take, write } = await host(t);
  await write({ made: 2000 });
  await take();
  await write({ made: 3000 });
  t.like(await take(), { ok: true, value: { made: 3000 } });
  await write({ made: 2500 });
  t.regex(await refusal(take()), /make a new one with flotilla host seed/);
});

test("another host's seed does not get this host's data", async (t) => {
  const { take, write } = await host(t);
  await write();
  await take();
  const { pool } = pretendSeed();
  await write({ pool: { ...pool, id: '33333333-3333-4333-8333-333333333333' } });
  t.regex(await refusal(take()), /the data disk is of host-1 of pool 1111/);
});
