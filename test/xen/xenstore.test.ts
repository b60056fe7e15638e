import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bootLab, type Lab } from './lab.ts';
import { storeCases, storeGuests } from './store-cases.ts';
import { checkout } from './toolstack.ts';

/** Ours is the xenstored of a real host: what Xen's tools, guests and kernels do with it. */
let lab: Lab;

test.before('a host boots on it', async (t) => {
  t.timeout(1_500_000);
  lab = await bootLab();
  const served = await lab.first.sh('cat /proc/$(cat /run/flotilla/xenstored.pid)/cmdline');
  t.true(served.includes('flotilla'), served);
});

test.after.always('the host is gone', () => lab?.close());

for (const { title, run } of storeCases)
  test.serial(title, async (t) => {
    t.timeout(1_800_000);
    await run(lab.first, storeGuests(lab.first));
    t.pass();
  });

test.serial('the port of a xenstored keeps its promises on real Xen', async (t) => {
  t.timeout(1_200_000);
  const suite = ['xenstore-host.ts', 'xenstore-host-xen.ts'];
  for (const name of suite)
    await lab.first.put(
      `/opt/flotilla/test/contract/${name}`,
      await readFile(join(checkout, 'test/contract', name)),
    );
  const kernel = '/var/lib/flotilla/boot/vmlinuz-guest';
  await lab.first.put(
    '/etc/xen/idle.cfg',
    `name = "idle"\ntype = "pv"\nkernel = "${kernel}"\nmemory = 128\n`,
  );
  await lab.first.sh('xl create -p /etc/xen/idle.cfg', { timeout: 300_000 });
  const program = '/opt/flotilla/test/contract/xenstore-host-xen.ts';
  const run = await lab.first.exec(`. /etc/profile; node ${program} --domain $(xl domid idle)`, {
    timeout: 600_000,
  });
  t.log(run.stdout);
  t.is(run.code, 0, run.stderr);
});

test.serial("Xen's own test of xenstore passes over the control domain's ring", async (t) => {
  t.timeout(600_000);
  const tested = await lab.first.exec('/usr/lib/xen-4.17/bin/test-xenstore', { timeout: 500_000 });
  t.log(tested.stdout);
  t.is(tested.code, 0, tested.stderr);
});
