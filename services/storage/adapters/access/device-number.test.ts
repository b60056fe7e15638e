import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { deviceNumber } from './device-number.ts';

test('a device has the number that sysfs tells, and one without is named', async (t) => {
  const sysfs = await mkdtemp(join(tmpdir(), 'sysfs-'));
  for (const [name, dev] of [
    ['loop3', '7:3\n'],
    ['xvda', '202:0\n'],
    ['odd', 'seven\n'],
  ] as const) {
    await mkdir(join(sysfs, name));
    await writeFile(join(sysfs, name, 'dev'), dev);
  }
  t.deepEqual(await deviceNumber('/dev/loop3', sysfs), { ok: true, value: '7:3' });
  t.deepEqual(await deviceNumber('/dev/xvda', sysfs), { ok: true, value: '202:0' });
  for (const path of ['/dev/odd', '/dev/loop4']) {
    const refused = await deviceNumber(path, sysfs);
    t.like(refused, { ok: false, error: { reason: 'STORAGE' } });
    t.true(!refused.ok && refused.error.message.includes(path));
  }
  await rm(sysfs, { recursive: true });
});
