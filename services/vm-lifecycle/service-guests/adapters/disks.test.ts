import { mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../../../../base/command.ts';
import { loopDevices } from '../../../../base/loop-devices.ts';
import { bytes, milliseconds } from '../../../../base/units.ts';
import { canLoop } from '../../../../test/fixtures/loop-devices.ts';
import { ensureDataDisk, loopAccess } from './disks.ts';
import { makeSeed } from './seed.ts';

const withLoop = (await canLoop()) ? test : test.skip;
const size = bytes(16 * 2 ** 20);

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'guest-disks-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Where an ext4 has its magic number: in the superblock, at 1024 (Linux, fs/ext4/ext4.h). */
async function isExt4(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 1024 + 0x38);
  await file.close();
  return buffer.readUInt16LE() === 0xef53;
}

/** What a file of an ext4 holds, without mounting it. */
function fileIn(image: string, path: string): Promise<string> {
  return debugfs(image, `cat ${path}`);
}

async function debugfs(image: string, request: string): Promise<string> {
  const read = await runCommand('debugfs', ['-R', request, image], milliseconds(60_000));
  return read.ok ? read.value : read.error.detail;
}

test('a new data disk is a sparse ext4, and one that is there is never formatted', async (t) => {
  await inDirectory(async (directory) => {
    const path = join(directory, 'new', 'consensus.img');
    t.deepEqual(await ensureDataDisk({ path, size }, 'consensus'), { ok: true, value: undefined });
    t.true(await isExt4(path));
    const made = await stat(path);
    t.is(made.size, size);
    t.true(made.blocks * 512 < size / 2);
    t.is(made.mode & 0o777, 0o600);
    await writeFile(path, 'what a guest keeps');
    t.true((await ensureDataDisk({ path, size }, 'consensus')).ok);
    t.is(await readFile(path, 'utf8'), 'what a guest keeps');
  });
});

test('what a kill left of the making is made anew', async (t) => {
  await inDirectory(async (directory) => {
    const path = join(directory, 'storage.img');
    await writeFile(`${path}.making`, 'half');
    t.true((await ensureDataDisk({ path, size }, 'storage')).ok);
    t.true(await isExt4(path));
    await t.throwsAsync(stat(`${path}.making`), { code: 'ENOENT' });
  });
});

test('a disk that is a directory is refused', async (t) => {
  await inDirectory(async (path) => {
    const refused = await ensureDataDisk({ path, size }, 'storage');
    t.regex(refused.ok ? '' : refused.error, /is neither a file nor a block device/);
  });
});

test('a seed has the files of its directory, and is for this user alone', async (t) => {
  await inDirectory(async (directory) => {
    const seed = join(directory, 'seed');
    const image = join(directory, 'own', 'seed.img');
    await runCommand('mkdir', ['-p', join(seed, 'identity')], milliseconds(60_000));
    await writeFile(join(seed, 'consensus.json'), '{ "name": "host-1" }');
    await writeFile(join(seed, 'identity', 'key.pem'), 'k'.repeat(5000), { mode: 0o600 });
    t.deepEqual(await makeSeed(seed, image), { ok: true, value: undefined });
    t.is(await fileIn(image, '/consensus.json'), '{ "name": "host-1" }');
    t.is(await fileIn(image, '/identity/key.pem'), 'k'.repeat(5000));
    t.is((await stat(image)).mode & 0o777, 0o600);
    // Who made it may keep the key for root alone: in the guest the service is another user.
    t.regex(await debugfs(image, 'stat /identity/key.pem'), /Mode:\s+0444/);
    t.deepEqual(await readdir(join(directory, 'own')), ['seed.img']);
    await writeFile(join(seed, 'consensus.json'), '{}');
    t.true((await makeSeed(seed, image)).ok);
    t.is(await fileIn(image, '/consensus.json'), '{}');
  });
});

test('a seed that is too large, or that leads elsewhere, is refused', async (t) => {
  await inDirectory(async (directory) => {
    const image = join(directory, 'own', 'seed.img');
    const seed = join(directory, 'seed');
    await runCommand('mkdir', [seed], milliseconds(60_000));
    await symlink('/etc/shadow', join(seed, 'config'));
    const linked = await makeSeed(seed, image);
    t.regex(linked.ok ? '' : linked.error, /config is neither a file nor a directory/);
    await rm(join(seed, 'config'));
    const file = await open(join(seed, 'large'), 'w');
    await file.truncate(40 * 2 ** 20);
    await file.close();
    const large = await makeSeed(seed, image);
    t.regex(
      large.ok ? '' : large.error,
      /has 1 files of 40.* MiB or more; .* at most 1000 of 32 MiB/,
    );
  });
});

withLoop(
  'a file has one loop device, however often it is opened, until it is closed',
  async (t) => {
    await inDirectory(async (directory) => {
      const file = join(directory, 'disk.img');
      await writeFile(file, Buffer.alloc(2 ** 20));
      const first = await loopAccess.open(file, false);
      t.regex(first.ok ? first.value : first.error, /^\/dev\/loop\d+$/);
      t.deepEqual(await loopAccess.open(file, false), first);
      const other = await loopAccess.open(file, true);
      t.regex(other.ok ? '' : other.error, /already, writable: see who uses it/);
      t.true((await loopAccess.close(file)).ok);
      t.deepEqual(await loopDevices(file), { ok: true, value: [] });
      t.true((await loopAccess.close(file)).ok);
    });
  },
);
