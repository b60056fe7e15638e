import test from 'ava';
import { bootLab, type Lab } from './lab.ts';
import { PoolInLab } from './pool-in-lab.ts';

/** What the VM and operation messages of the CLI's JSON have that is looked at here. */
interface Vm {
  readonly name: string;
  readonly powerState: string;
  readonly domid: number;
}
interface Operation {
  readonly id: string;
  readonly state: string;
}

const boot = [
  ...['--kernel', '/var/lib/flotilla/boot/vmlinuz-guest'],
  ...['--ramdisk', '/var/lib/flotilla/boot/initrd-guest'],
];

function commandLine(address: string): string {
  return `console=hvc0 flotilla.ip=${address}/24 flotilla.ping=10.77.0.1`;
}

let lab: Lab;
let pool: PoolInLab;

test.serial.before(async (t) => {
  t.timeout(1_200_000);
  lab = await bootLab({ hosts: 1, processors: 2 });
  pool = new PoolInLab(lab.first);
  await pool.start();
});

test.after.always(() => lab?.close());

async function create(name: string, type: string, address: string): Promise<void> {
  await pool.done(
    ...['vm', 'create', '--name', name, '--type', type, '--memory', '128MiB', '--vcpus', '1'],
    ...['--disk', '64MiB', '--network', 'default', ...boot],
    ...['--command-line', commandLine(address)],
  );
}

for (const [type, address] of [
  ['pv', '10.77.0.101'],
  ['pvh', '10.77.0.102'],
] as const) {
  test.serial(
    `a ${type} guest boots, has its disk and its NIC, and shuts down cleanly`,
    async (t) => {
      t.timeout(1_200_000);
      const name = `web-${type}`;
      await create(name, type, address);
      await pool.done('vm', 'start', name);

      const console = await pool.eventually(
        `the console of ${name} with the guest's devices`,
        () => pool.console(name),
        (text) => text.includes('flotilla guest: devices done'),
      );
      t.regex(console, /Linux version/, "the kernel's own lines are on the console");
      t.regex(console, /disk xvda 67108864 bytes, wrote and read back/);
      t.regex(console, /ping 10\.77\.0\.1 answered/);
      const ping = await lab.first.exec(['ping', '-c', '1', '-W', '30', address], {
        timeout: 60_000,
      });
      t.is(ping.code, 0, `the guest answers on the bridge: ${ping.stdout}`);

      const vms = await pool.json<readonly Vm[]>('vm', 'list');
      const running = vms.filter((vm) => vm.powerState === 'POWER_STATE_RUNNING');
      t.deepEqual(
        running.map((vm) => ({ name: vm.name, domid: vm.domid })),
        [...(await pool.xlDomains())],
        'vm list agrees with xl list',
      );

      await pool.done('vm', 'shutdown', name, '--timeout', '5m');
      t.deepEqual(await pool.xlDomains(), []);
      t.deepEqual(await pool.leftovers(), { loops: '', vifs: '' });
      const [halted] = (await pool.json<readonly Vm[]>('vm', 'list')).filter(
        (vm) => vm.name === name,
      );
      t.is(halted?.powerState, 'POWER_STATE_HALTED');
      await pool.done('vm', 'delete', name, '--yes');
    },
  );
}

test.serial('a kernel that is not on the host is named, and nothing is left', async (t) => {
  t.timeout(600_000);
  const ran = await pool.run(
    ...['vm', 'create', '--name', 'bad', '--memory', '128MiB', '--vcpus', '1', '--disk', '64MiB'],
    ...['--kernel', '/no/such/kernel'],
  );
  t.is(ran.code, 1, ran.stdout);
  t.regex(ran.stderr, /\/no\/such\/kernel/);
  t.regex(ran.stderr, /field: .*kernel/);
  t.deepEqual(await pool.json('vm', 'list'), []);
});

/** Where a start is interrupted: shell commands that succeed once it has come so far. */
const moments = [
  ['the disk is attached', 'losetup --all --noheadings | grep -q .'],
  ['the domain is being built', 'xenstore-list /local/domain | grep -qv "^0$"'],
  ['the VIF is on the bridge', 'ls /sys/class/net/xenbr0/brif | grep -q ^vif'],
] as const;

test.serial('vm-lifecycle is killed in the middle of a start: it completes, once', async (t) => {
  t.timeout(1_800_000);
  await create('twice', 'pv', '10.77.0.103');
  for (const [moment, condition] of moments) {
    const killed = pool.killOnce(condition, 'vm-lifecycle');
    const { id } = await pool.json<Operation>('vm', 'start', 'twice', '--no-wait');
    await killed;
    const ended = await pool.eventually(
      'the end of the start',
      () => pool.run('operation', 'show', id, '--json'),
      (ran) => ran.code === 0 && /_(SUCCEEDED|FAILED|CANCELLED)"/.test(ran.stdout),
    );
    t.is((JSON.parse(ended.stdout) as Operation).state, 'OPERATION_STATE_SUCCEEDED', moment);
    const names = (await pool.xlDomains()).map((domain) => domain.name);
    t.deepEqual(names, ['twice'], `killed when ${moment}: one domain`);
    const left = await pool.leftovers();
    t.is(left.loops.split('\n').length, 1, `killed when ${moment}: one loop device`);
    t.is(left.vifs.split('\n').length, 1, `killed when ${moment}: one VIF`);
    await pool.done('vm', 'destroy', 'twice', '--yes');
    t.deepEqual(await pool.xlDomains(), []);
    t.deepEqual(await pool.leftovers(), { loops: '', vifs: '' });
  }
  await pool.done('vm', 'delete', 'twice', '--yes');
});
