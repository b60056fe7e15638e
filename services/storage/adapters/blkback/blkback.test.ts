import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ok } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import { type Clock, systemClock } from '../../../../pool/clock.ts';
import { linuxBlkback } from './blkback.ts';

/** A sysfs of files, in which two disks of guests are bound, and nodes in memory. */
async function rig(inflight: string) {
  const sysfs = await mkdtemp(join(tmpdir(), 'blkback-'));
  const driver = join(sysfs, 'bus/xen-backend/drivers/vbd');
  const devices = join(sysfs, 'bus/xen-backend/devices');
  for (const name of ['vbd-9-51712', 'vbd-12-51728']) {
    await mkdir(join(devices, name), { recursive: true });
    await mkdir(join(driver, name), { recursive: true });
  }
  await mkdir(join(devices, 'vif-9-0'));
  await mkdir(join(sysfs, 'dev/block/7:10'), { recursive: true });
  await writeFile(join(sysfs, 'dev/block/7:10/inflight'), inflight);
  const nodes = new Map([['backend/vbd/9/51712/physical-device', '7:a']]);
  let time = 0;
  let sleeps = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => milliseconds(time),
    sleep: async (span) => {
      time += span;
      sleeps += 1;
      // The kernel answers what was on its way.
      if (sleeps === 3)
        await writeFile(join(sysfs, 'dev/block/7:10/inflight'), '       0        0\n');
    },
  };
  const blkback = linuxBlkback({
    sysfs,
    clock,
    nodes: {
      read: async (path) => ok(nodes.get(path) ?? null),
      write: async (path, value) => {
        nodes.set(path, value);
        return ok(undefined);
      },
      remove: async (path) => {
        nodes.delete(path);
        return ok(undefined);
      },
    },
  });
  return { sysfs, driver, nodes, blkback, sleeps: () => sleeps };
}

test('a disk is marked once all is answered that its guest had asked', async (t) => {
  const { sysfs, driver, nodes, blkback, sleeps } = await rig('       2        1\n');
  t.deepEqual(await blkback.drain(), { ok: true, value: 2 });
  t.is(sleeps(), 3);
  t.is(nodes.get('backend/vbd/9/51712/drained'), '1');
  t.is(nodes.get('backend/vbd/12/51728/drained'), '1');
  t.is(await readFile(join(driver, 'unbind'), 'utf8'), 'vbd-9-51712');
  await rm(sysfs, { recursive: true });
});

test('a disk that does not come to an end is not marked', async (t) => {
  const { sysfs, nodes, blkback } = await rig('1 0\n');
  await rm(join(sysfs, 'dev'), { recursive: true });
  const drained = await blkback.drain();
  t.like(drained, { ok: false, error: { reason: 'STORAGE' } });
  t.false(nodes.has('backend/vbd/9/51712/drained'));
  await rm(sysfs, { recursive: true });
});

test('a service that starts again takes up what it had let go of, and nothing else', async (t) => {
  const { sysfs, driver, nodes, blkback } = await rig('0 0\n');
  t.deepEqual(await blkback.resume(), { ok: true, value: 0 });
  await rm(join(driver, 'vbd-9-51712'), { recursive: true });
  nodes.set('backend/vbd/9/51712/drained', '1');
  t.deepEqual(await blkback.resume(), { ok: true, value: 1 });
  t.is(await readFile(join(driver, 'bind'), 'utf8'), 'vbd-9-51712');
  t.false(nodes.has('backend/vbd/9/51712/drained'));
  await rm(sysfs, { recursive: true });
});

test('without blkback the failure says what to look for', async (t) => {
  const { sysfs, blkback } = await rig('0 0\n');
  await rm(join(sysfs, 'bus'), { recursive: true });
  const failed = await blkback.drain();
  t.regex(failed.ok ? '' : failed.error.remedy, /xen-blkback/);
  await rm(sysfs, { recursive: true });
});
