import test from 'ava';
import { bootLab, type Lab } from './lab.ts';
import { PoolInLab } from './pool-in-lab.ts';

/**
 * A host in parts: its xenstore is a domain, the pool's database another one, both from signed images;
 * what is left in the control domain builds and serves VMs.
 */
let lab: Lab;
let pool: PoolInLab;

const member = '10.77.0.21';

test.serial.before('a host boots in parts', async (t) => {
  t.timeout(2_400_000);
  lab = await bootLab({
    images: ['xenstore', 'consensus'],
    words: ['flotilla.xenstored=domain', 'flotilla.xenstore-word=flotilla.kill=120'],
  });
  pool = new PoolInLab(lab.first);
  await pool.start(`--guest consensus=${member}/24 --guest-images /var/lib/flotilla/images`);
});

test.after.always('the host is gone', () => lab?.close());

test.serial('neither xenstored nor the database runs in the control domain', async (t) => {
  t.timeout(600_000);
  const list = await lab.first.sh('xl list');
  t.regex(list, /^Xenstore /m);
  t.regex(list, /^flotilla-consensus /m);
  const processes = await lab.first.sh('ps -A -o args');
  t.notRegex(processes, /flotilla\.js consensus|main\.ts consensus/);
  t.notRegex(processes, /xenstored --rings/);
  t.regex(await pool.done('pool', 'members'), new RegExp(member));
});

test.serial(
  'a VM starts, with its disk and its NIC, and goes on while each part restarts',
  async (t) => {
    t.timeout(2_400_000);
    const address = '10.77.0.101';
    await pool.done(
      ...['vm', 'create', '--name', 'web', '--type', 'pv', '--memory', '128MiB', '--vcpus', '1'],
      ...['--disk', '64MiB', '--network', 'default'],
      ...['--kernel', '/var/lib/flotilla/boot/vmlinuz-guest'],
      ...['--ramdisk', '/var/lib/flotilla/boot/initrd-guest'],
      ...['--command-line', `console=hvc0 flotilla.ip=${address}/24 flotilla.ping=10.77.0.1`],
    );
    await pool.done('vm', 'start', 'web');
    const said = await pool.eventually(
      "the console with the guest's devices",
      () => pool.console('web'),
      (text) => text.includes('flotilla guest: devices done'),
    );
    t.regex(said, /disk xvda 67108864 bytes, wrote and read back/);
    t.regex(said, /ping 10\.77\.0\.1 answered/);

    // The guest of the database dies as a crash does; its supervisor starts it again, on its disk.
    await lab.first.sh('xl destroy flotilla-consensus');
    const [vm] = await pool.json<readonly { name: string; powerState: string }[]>('vm', 'list');
    t.like(vm, { name: 'web', powerState: 'POWER_STATE_RUNNING' }, 'nothing was lost');
    t.regex(await lab.first.sh('xl list'), /^flotilla-consensus /m);
    const ping = await lab.first.exec(['ping', '-c', '1', '-W', '30', address], {
      timeout: 60_000,
    });
    t.is(ping.code, 0, ping.stdout);
    await pool.done('vm', 'destroy', 'web', '--yes');
    t.deepEqual(await pool.leftovers(), { loops: await dataDisk(), vifs: await ownVif() });
  },
);

/** The loop devices of the database's guest, and its interface: they are there as long as it runs. */
async function dataDisk(): Promise<string> {
  const loops = await lab.first.sh(
    'losetup --all --noheadings --output NAME,BACK-FILE | grep -E "consensus" | cut -d" " -f1',
  );
  return loops.trim();
}
async function ownVif(): Promise<string> {
  return `vif${(await lab.first.sh('xl domid flotilla-consensus')).trim()}.0`;
}
