import { mkdtemp, open, readFile, realpath, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test from 'ava';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import { type Clock, systemClock } from '../../../../pool/clock.ts';
import { canLoop } from '../../../../test/fixtures/loop-devices.ts';
import { loopAccess } from './loop.ts';
import { loopDevices } from './losetup.ts';

const withLoop = (await canLoop()) ? test : test.skip;

async function withImage(work: (image: string, directory: string) => Promise<void>): Promise<void> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'loop-')));
  const image = join(directory, 'image.raw');
  await writeFile(image, '');
  await truncate(image, 2 ** 20);
  try {
    await work(image, directory);
  } finally {
    await loopAccess(systemClock).close(image);
    await rm(directory, { recursive: true });
  }
}

/** A clock whose time passes only while somebody sleeps on it, and then in leaps: no test waits. */
function hurriedClock(): Clock {
  let time = 0;
  return {
    now: () => milliseconds(time),
    wall: () => milliseconds(time),
    sleep: (span: Milliseconds) => {
      time += 25 * span;
      return Promise.resolve();
    },
  };
}

async function device(opening: ReturnType<ReturnType<typeof loopAccess>['open']>): Promise<string> {
  const opened = await opening;
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value.path;
}

withLoop('what a backend writes to the device is in the image', async (t) => {
  await withImage(async (image) => {
    const path = await device(loopAccess(systemClock).open(image, false));
    t.regex(path, /^\/dev\/loop\d+$/);
    const block = await open(path, 'r+');
    await block.write('a boot sector', 512);
    await block.sync();
    await block.close();
    const content = await readFile(image);
    t.is(content.subarray(512, 525).toString(), 'a boot sector');
  });
});

withLoop('opening again, also after a restart, is the same device', async (t) => {
  await withImage(async (image, directory) => {
    const path = await device(loopAccess(systemClock).open(image, false));
    const again = await loopAccess(systemClock).open(image, false);
    const dev = await readFile(`/sys/class/block/${basename(path)}/dev`, 'utf8');
    t.deepEqual(again, { ok: true, value: { path, device: dev.trim() } });
    const listed = await loopAccess(systemClock).list(directory);
    t.deepEqual(listed, { ok: true, value: [{ image, device: path }] });
  });
});

withLoop('a read-only device cannot be written, and turns writable for a new claim', async (t) => {
  await withImage(async (image) => {
    const access = loopAccess(systemClock);
    const readOnly = await open(await device(access.open(image, true)), 'r+');
    await t.throwsAsync(readOnly.write('a boot sector'), { code: 'EPERM' });
    await readOnly.close();
    const writable = await open(await device(access.open(image, false)), 'r+');
    await writable.close();
    const devices = await loopDevices(image);
    t.is(devices.ok ? devices.value.length : 0, 1);
  });
});

withLoop('closing takes the device down, and closing again succeeds', async (t) => {
  await withImage(async (image, directory) => {
    const access = loopAccess(systemClock);
    await device(access.open(image, false));
    t.true((await access.close(image)).ok);
    t.deepEqual(await access.list(directory), { ok: true, value: [] });
    t.true((await access.close(image)).ok);
  });
});

withLoop(
  'while a backend has the device open, closing fails, and so does opening anew',
  async (t) => {
    await withImage(async (image) => {
      const access = loopAccess(hurriedClock());
      const backend = await open(await device(access.open(image, false)), 'r+');
      const closed = await access.close(image);
      t.like(closed, { ok: false, error: { reason: 'BUSY' } });
      t.like(await access.open(image, false), { ok: false, error: { reason: 'BUSY' } });
      await backend.close();
      t.true((await loopAccess(systemClock).close(image)).ok);
    });
  },
);

withLoop('an image that is not there is refused with what losetup said', async (t) => {
  const opened = await loopAccess(systemClock).open('/nonexistent/image.raw', false);
  t.like(opened, { ok: false, error: { reason: 'STORAGE' } });
  t.regex(opened.ok ? '' : opened.error.message, /No such file or directory/);
});
