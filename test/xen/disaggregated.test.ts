import test, { type ExecutionContext } from 'ava';
import { type Course, GuestLoad } from './guest-load.ts';
import { bootLab, type Lab } from './lab.ts';
import { PoolInLab } from './pool-in-lab.ts';
import { parts, ServiceGuests } from './service-guests.ts';

/**
 * A host in parts: its xenstore is a domain, the pool's database another one, and so are the services of
 * networks and disks, all from signed images; what is left in the control domain builds VMs. Each is killed and
 * restarted while a VM uses its disk and holds a connection. All the while the xenstored is killed in its domain.
 */
let lab: Lab;
let pool: PoolInLab;
let services: ServiceGuests;
let load: GuestLoad;
let killsBeforeLoad: number;

const address = {
  consensus: '10.77.0.21',
  network: '10.77.0.22',
  storage: '10.77.0.23',
  vm: '10.77.0.101',
} as const;

/** Emulated, a PV guest boots in a fifth of the time of a PVH one. */
const guests = [
  ...parts.map((part) => `--guest ${part}=${address[part]}/24`),
  '--guest-images /var/lib/flotilla/images --guest-type pv',
].join(' ');

/** Each step of a test is one that the emulated host takes minutes for, when the machine is crowded. */
const patience = 2_400_000;

test.serial.before('a host boots in parts', async (t) => {
  t.timeout(patience);
  lab = await bootLab({
    images: ['xenstore', ...parts],
    processors: 2,
    words: ['flotilla.xenstored=domain', 'flotilla.xenstore-word=flotilla.kill=300'],
    hypervisorWords: ['guest_loglvl=all'],
  });
  // Who serves the others goes first, or libxl gives up devices that the control domain's kernel has not
  // taken within 10 s.
  await lab.first.sh('for id in 0 1; do xl sched-credit2 -d $id -w 1024; done');
  pool = new PoolInLab(lab.first);
  services = new ServiceGuests(lab.first, pool);
  load = new GuestLoad(lab.first, 'web');
  await pool.start(guests);
  for (const part of parts) await services.serves(part);
});

test.after.always('the host is gone', () => lab?.close());

interface Vm {
  readonly name: string;
  readonly powerState: string;
  readonly domid: number;
}

async function web(): Promise<Vm> {
  const [vm] = await pool.json<readonly Vm[]>('vm', 'list');
  return vm ?? { name: 'none', powerState: '', domid: 0 };
}

/** Whether the VM answers on the network, with a packet that takes more than its headers. */
async function answers(): Promise<boolean> {
  const ping = await lab.first.exec(['ping', '-c', '1', '-s', '1400', '-W', '30', address.vm], {
    timeout: 60_000,
  });
  return ping.code === 0;
}

/** The VM's disk lost nothing, and its connection is the one that it began with, whatever was done. */
function nothingIsLost(t: ExecutionContext, { before, after, pause, silence }: Course): void {
  t.log(`disk: at most ${pause} ms between rounds; connection: ${silence} ms between lines`);
  t.like(after, { wrong: 0, errors: 0, connections: 1, lost: 0, garbled: 0 });
  t.true(after.rounds > before.rounds && after.lines > before.lines);
}

/** Has a service started anew, and logs what is said of it. */
async function restarts(t: ExecutionContext, service: string): Promise<void> {
  t.log((await pool.done('host', 'restart', service)).trimEnd().split('\n').at(-1));
}

test.serial('no service but that of VMs runs in the control domain', async (t) => {
  t.timeout(patience);
  const list = await lab.first.sh('xl list');
  t.regex(list, /^Xenstore /m);
  for (const part of parts) t.regex(list, new RegExp(`^flotilla-${part} `, 'm'));
  const processes = await lab.first.sh('ps -A -o args');
  for (const part of parts) t.notRegex(processes, new RegExp(`(flotilla\\.js|main\\.ts) ${part}`));
  t.notRegex(processes, /xenstored --rings/);
  await pool.eventually(
    "the database's member, in its guest",
    () => pool.run('pool', 'members'),
    ({ stdout }) => stdout.includes(address.consensus),
  );
});

test.serial('a VM starts, and its disk and its NIC are served by driver domains', async (t) => {
  t.timeout(patience);
  await pool.done(
    ...['vm', 'create', '--name', 'web', '--type', 'pv', '--memory', '128MiB', '--vcpus', '1'],
    ...['--disk', '64MiB', '--network', 'default'],
    ...['--kernel', '/var/lib/flotilla/boot/vmlinuz-guest'],
    ...['--ramdisk', '/var/lib/flotilla/boot/initrd-guest'],
    ...['--command-line', `console=hvc0 flotilla.ip=${address.vm}/24 flotilla.ping=10.77.0.1`],
  );
  await pool.done('vm', 'start', 'web');
  const said = await pool.eventually(
    "the console with the guest's devices",
    () => pool.console('web'),
    (text) => text.includes('flotilla guest: devices done'),
  );
  t.regex(said, /disk xvda 67108864 bytes, wrote and read back/);
  t.regex(said, /ping 10\.77\.0\.1 answered/);
  const devices = `/local/domain/${(await web()).domid}/device`;
  const backendOf = async (device: string) =>
    Number(await lab.first.sh(`xenstore-read ${devices}/${device}/backend-id`));
  t.is(await backendOf('vbd/51712'), await services.serves('storage'));
  t.is(await backendOf('vif/0'), await services.serves('network'));
  t.is((await pool.leftovers()).vifs.split('\n').length, parts.length, 'only guests of services');
  killsBeforeLoad = await services.storeKills();
  await load.start('xvda');
});

test.serial("the database's guest is destroyed: the VM notices nothing", async (t) => {
  t.timeout(patience);
  nothingIsLost(t, await load.during(() => services.fallsAndComesBack('consensus')));
  t.like(await web(), { name: 'web', powerState: 'POWER_STATE_RUNNING' }, 'nothing was lost');
});

test.serial(
  "the network's guest is destroyed: the VM's connection goes on once it is back",
  async (t) => {
    t.timeout(patience);
    const before = await services.serves('network');
    nothingIsLost(t, await load.during(() => services.fallsAndComesBack('network')));
    t.is(await services.serves('network'), before, 'it has the number that it had');
    t.like(await web(), { powerState: 'POWER_STATE_RUNNING' });
  },
);

test.serial("the storage's guest is restarted: the VM goes on with its disk", async (t) => {
  t.timeout(patience);
  const before = await services.serves('storage');
  nothingIsLost(t, await load.during(() => restarts(t, 'storage')));
  t.is(await services.serves('storage'), before, 'it has the number that it had');
  t.like(await web(), { powerState: 'POWER_STATE_RUNNING' });
});

test.serial("the network's and the database's guests are restarted", async (t) => {
  t.timeout(patience);
  const before = await services.serves('network');
  for (const part of ['network', 'consensus'] as const)
    nothingIsLost(t, await load.during(() => restarts(t, part)));
  t.is(await services.serves('network'), before, 'it has the number that it had');
  t.like(await web(), { powerState: 'POWER_STATE_RUNNING' });
});

test.serial('what runs in the control domain is restarted: the VM notices nothing', async (t) => {
  t.timeout(patience);
  for (const service of ['xenstore', 'vm-lifecycle'])
    nothingIsLost(t, await load.during(() => restarts(t, service)));
  t.like(await web(), { powerState: 'POWER_STATE_RUNNING' });
});

test.serial('xenstored was killed in its domain meanwhile, and nobody has noticed', async (t) => {
  t.timeout(patience);
  const kills = async () => (await services.storeKills()) - killsBeforeLoad;
  const course = await load.during(async () => {
    const count = await pool.eventually('a kill of xenstored', kills, (each) => each > 0, patience);
    t.log(`killed ${count} times since the load began`);
  });
  nothingIsLost(t, course);
  const { domid, powerState } = await web();
  t.is(powerState, 'POWER_STATE_RUNNING');
  t.is((await lab.first.sh(`xenstore-read /local/domain/${domid}/name`)).trim(), 'web');
});

test.serial(
  "the storage's guest is destroyed: the VM has its disk when it is started anew",
  async (t) => {
    t.timeout(patience);
    const before = await load.report();
    await services.fallsAndComesBack('storage');
    const operations = await pool.eventually(
      'the reason why the disk is not connected again',
      () => pool.done('operation', 'list', '--json'),
      (text) => /unfinished; destroy the guest and start it again/.test(text),
    );
    t.regex(operations, /vm\.reconnect/);
    const left = await load.report();
    t.true(left.lines > before.lines, 'its connection does not need the disk');
    t.like(left, { wrong: 0, connections: 1, lost: 0, garbled: 0 });
    await pool.done('vm', 'destroy', 'web', '--yes');
    await pool.done('vm', 'start', 'web');
    const said = await pool.eventually(
      "the console with the guest's devices",
      () => pool.console('web'),
      (text) => text.includes('flotilla guest: devices done'),
    );
    t.regex(said, /disk xvda 67108864 bytes, was tried before: [1-9]/, 'what it wrote is there');
    t.true(await answers());
    await pool.done('vm', 'destroy', 'web', '--yes');
  },
);
