import test from 'ava';
import { bootLab, type Lab } from './lab.ts';
import { PoolInLab } from './pool-in-lab.ts';

/**
 * A host in parts: its xenstore is a domain, the pool's database another one, and so are the services of
 * networks and disks, all from signed images; what is left in the control domain builds VMs.
 */
let lab: Lab;
let pool: PoolInLab;

const address = {
  consensus: '10.77.0.21',
  network: '10.77.0.22',
  storage: '10.77.0.23',
  vm: '10.77.0.101',
} as const;
const parts = ['consensus', 'network', 'storage'] as const;
type Part = (typeof parts)[number];

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
    words: ['flotilla.xenstored=domain', 'flotilla.xenstore-word=flotilla.kill=600'],
  });
  // Who serves the others goes first, or libxl gives up devices that the control domain's kernel has not
  // taken within 10 s.
  await lab.first.sh('for id in 0 1; do xl sched-credit2 -d $id -w 1024; done');
  pool = new PoolInLab(lab.first);
  await pool.start(guests);
  for (const part of parts) await serves(part);
});

test.after.always('the host is gone', () => lab?.close());

interface Note {
  readonly kind: string;
  readonly domain?: number;
}

/**
 * How a service's guest does, by the last note of its supervisor's log: asking by the CLI would take from
 * the emulated processor what the guest needs to boot.
 */
async function noteOf(part: Part): Promise<Note> {
  const log = `${pool.directory}/host-1/logs/service-guests.log`;
  const said = await lab.first.sh(`grep '"guest":"${part}","note":' ${log} | tail -n 1`);
  if (said.trim() === '') return { kind: 'none' };
  return (JSON.parse(said) as { readonly note: Note }).note;
}

/** All share one emulated processor, and boot at a time: a guest alone serves after a minute. */
const boots = 1_200_000;

/** Waits until a service's guest serves; returns its domain. */
async function serves(part: Part): Promise<number> {
  const { domain } = await pool.eventually(
    `a guest of ${part} that serves`,
    () => noteOf(part),
    ({ kind }) => kind === 'serving',
    boots,
  );
  return domain ?? 0;
}

/** Destroys the guest of a service as a crash does, and waits until it serves again, in a new domain. */
async function fallsAndComesBack(part: Part): Promise<void> {
  const starts = await startsOf(part);
  await lab.first.sh(`xl destroy flotilla-${part}`);
  await pool.eventually(
    `another start of ${part}`,
    () => startsOf(part),
    (count) => count > starts,
  );
  await serves(part);
}

/** How often a guest was started, by the supervisor's log. */
async function startsOf(part: Part): Promise<number> {
  const log = `${pool.directory}/host-1/logs/service-guests.log`;
  const count = await lab.first.sh(
    `grep -c '"guest":"${part}","note":{"kind":"started"' ${log} || true`,
  );
  return Number(count.trim());
}

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

/** Has the VM try its disk once more, and waits for what it says of it. */
async function triesDisk(before: number): Promise<void> {
  await pool.type('web', 'try xvda');
  const console = await pool.eventually(
    'the disk, tried once more',
    () => pool.console('web'),
    (text) => triesOn(text) > before,
  );
  const last = console.slice(console.lastIndexOf('was tried before'));
  if (!/wrote and read back/.test(last)) throw new Error(`the disk failed: ${last}`);
}

function triesOn(console: string): number {
  return console.split('tried disk xvda').length - 1;
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
  t.is(await backendOf('vbd/51712'), await serves('storage'));
  t.is(await backendOf('vif/0'), await serves('network'));
  t.is((await pool.leftovers()).vifs.split('\n').length, parts.length, 'only guests of services');
});

test.serial("the database's guest is destroyed: the VM notices nothing", async (t) => {
  t.timeout(patience);
  await fallsAndComesBack('consensus');
  t.like(await web(), { name: 'web', powerState: 'POWER_STATE_RUNNING' }, 'nothing was lost');
  t.true(await answers());
});

test.serial(
  "the network's guest is destroyed: the VM's interface is connected again",
  async (t) => {
    t.timeout(patience);
    const before = await serves('network');
    await fallsAndComesBack('network');
    t.is(await serves('network'), before, 'it has the number that it had');
    await pool.eventually('an answer of the VM', answers, (answered) => answered);
    t.like(await web(), { powerState: 'POWER_STATE_RUNNING' });
  },
);

test.serial("the storage's guest is restarted: the VM goes on with its disk", async (t) => {
  t.timeout(patience);
  const tries = triesOn(await pool.console('web'));
  const before = await serves('storage');
  const restarted = await pool.done('host', 'restart', 'storage');
  t.log(restarted.trimEnd().split('\n').at(-1));
  t.is(await serves('storage'), before, 'it has the number that it had');
  await triesDisk(tries);
  t.like(await web(), { powerState: 'POWER_STATE_RUNNING' });
});

test.serial(
  "the storage's guest is destroyed: the VM has its disk when it is started anew",
  async (t) => {
    t.timeout(patience);
    await fallsAndComesBack('storage');
    const operations = await pool.eventually(
      'the reason why the disk is not connected again',
      () => pool.done('operation', 'list', '--json'),
      (text) => /unfinished; destroy the guest and start it again/.test(text),
    );
    t.regex(operations, /vm\.reconnect/);
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
