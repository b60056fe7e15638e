import test from 'ava';
import { eventually, PoolProcess } from './pool-process.ts';

/** The fields of the CLI's JSON that are looked at here. */
interface Vm {
  readonly name: string;
  readonly host: string;
  readonly powerState: string;
  readonly domid: number;
}
interface Host {
  readonly name: string;
  readonly state: string;
}
interface Restarted {
  readonly id: number;
  readonly awayMilliseconds: number;
}
interface Operation {
  readonly verb: string;
  readonly state: string;
}

function createWords(name: string, ...more: readonly string[]): readonly string[] {
  return [
    ...['vm', 'create', '--name', name, '--memory', '256MiB', '--vcpus', '1'],
    ...['--disk', '16MiB', '--network', 'default', ...more],
  ];
}

test.serial(
  "the README's first VM; then a host is killed, and the whole pool is started again",
  async (t) => {
    t.timeout(600_000);
    const pool = new PoolProcess();
    t.teardown(() => pool.dispose());
    await pool.start('--hosts', '3', '--hypervisor', 'simulated');

    const created = await pool.run(...createWords('web', '--host', 'host-1'));
    t.is(created.code, 0, created.stderr);
    const started = await pool.run('vm', 'start', 'web');
    t.is(started.code, 0, started.stderr);
    await pool.json(...createWords('other', '--host', 'host-2', '--start'));
    const vms = await pool.json<readonly Vm[]>('vm', 'list');
    t.deepEqual(vms.map(({ name, host, powerState }) => `${name} ${host} ${powerState}`).sort(), [
      'other host-2 POWER_STATE_RUNNING',
      'web host-1 POWER_STATE_RUNNING',
    ]);

    const killed = pool.pids('host-2');
    t.is(killed.length, 6, 'five services and the simulated hypervisor');
    pool.kill(killed);
    const [web] = (await pool.json<readonly Vm[]>('vm', 'list')).filter((vm) => vm.name === 'web');
    t.is(web?.powerState, 'POWER_STATE_RUNNING', 'what ran elsewhere runs on, and the CLI works');

    // The supervisor starts the host's processes again: to the pool its host was rebooted, and the
    // VM that had run there is found halted.
    await eventually(
      () => pool.json<readonly Vm[]>('vm', 'list'),
      (list) => list.some((vm) => vm.name === 'other' && vm.powerState === 'POWER_STATE_HALTED'),
      'the VM of the rebooted host, halted',
    );
    const again = await pool.run('vm', 'start', 'other');
    t.is(again.code, 0, again.stderr);

    t.is(await pool.stop(), 0);
    t.deepEqual(pool.pids('host-1'), [], 'nothing is left running');
    await pool.start();
    const after = await pool.json<readonly Vm[]>('vm', 'list');
    t.deepEqual(after.map((vm) => vm.name).sort(), ['other', 'web'], 'the state survived');
  },
);

/** A pool of one host, for what needs no second one. */
const pool = new PoolProcess();
test.before(async (t) => {
  t.timeout(600_000);
  await pool.start('--hosts', '1', '--hypervisor', 'simulated');
});
test.after.always(() => pool.dispose());

test.serial('a service that is killed in the middle of a start resumes it, once', async (t) => {
  t.timeout(600_000);
  await pool.json(...createWords('web'));
  for (const service of ['vm-lifecycle', 'storage', 'network', 'consensus', 'xenstore']) {
    await pool.run('vm', 'start', 'web', '--no-wait');
    pool.kill(pool.pids('host-1', service));
    await eventually(
      () => pool.run('vm', 'list', '--json'),
      (ran) => ran.code === 0 && ran.stdout.includes('POWER_STATE_RUNNING'),
      `the VM running after ${service} was killed`,
    );
    const destroyed = await pool.run('vm', 'destroy', 'web', '--yes');
    t.is(destroyed.code, 0, `${service}: ${destroyed.stderr}`);
  }
  const starts = (await pool.json<readonly Operation[]>('operation', 'list')).filter(
    (operation) => operation.verb === 'vm.start',
  );
  t.deepEqual(
    starts.map((operation) => operation.state),
    Array.from({ length: 5 }, () => 'OPERATION_STATE_SUCCEEDED'),
  );
});

test.serial('each service of a host is started anew alone, and its VMs run on', async (t) => {
  t.timeout(600_000);
  await pool.json(...createWords('steady', '--start'));
  const domains = () => pool.json<readonly Vm[]>('vm', 'list');
  const before = (await domains()).find(({ name }) => name === 'steady');
  for (const service of ['xenstore', 'storage', 'network', 'consensus', 'vm-lifecycle']) {
    const [old] = pool.pids('host-1', service);
    const restarted = await pool.json<Restarted>('host', 'restart', service);
    t.like(restarted, { service, host: 'host-1', kind: 'process' });
    t.deepEqual(pool.pids('host-1', service), [restarted.id], service);
    t.not(restarted.id, old, service);
    t.true(restarted.awayMilliseconds > 0, service);
  }
  const after = (await domains()).find(({ name }) => name === 'steady');
  t.is(after?.powerState, 'POWER_STATE_RUNNING');
  t.is(after?.domid, before?.domid, 'the same domain');
  const destroyed = await pool.run('vm', 'destroy', 'steady', '--yes');
  t.is(destroyed.code, 0, destroyed.stderr);
  const other = await pool.run('host', 'restart', 'storage', '--host', 'host-9');
  t.is(other.code, 4);
  t.regex(other.stderr, /there is no host "host-9"/);
});

test.serial('bad input names the field and the remedy, and changes nothing', async (t) => {
  t.timeout(600_000);
  await pool.json(...createWords('taken'));
  const before = await pool.json<readonly Vm[]>('vm', 'list');

  const rows: readonly (readonly [words: readonly string[], code: number, ...said: RegExp[]])[] = [
    [['vm', 'start', 'nothing'], 4, /there is no vm "nothing"/, /what to do: /],
    [createWords('taken'), 1, /a vm named "taken" already/, /field: .*name/],
    [createWords('No Good'), 1, /field: .*name/],
    [createWords('big', '--memory', '900TiB'), 1, /field: .*memory/],
    [createWords('odd', '--memory', 'lots'), 2, /memory/],
    [createWords('wide', '--vcpus', '100000'), 1, /field: .*vcpus/],
    [createWords('full', '--disk', '60TiB'), 1, /room/],
    [createWords('over', '--disk', '9000PiB'), 2, /disk/],
    [createWords('lost', '--network', 'no-such-network'), 4, /no-such-network/],
    [
      createWords('cold', '--kernel', '/no/such/kernel'),
      1,
      /\/no\/such\/kernel/,
      /field: .*kernel/,
    ],
    [createWords('away', '--host', 'host-9'), 4, /host-9/],
  ];
  for (const [words, code, ...said] of rows) {
    const ran = await pool.run(...words);
    t.is(ran.code, code, `${words.join(' ')}: ${ran.stderr}`);
    for (const pattern of said) t.regex(ran.stderr, pattern, words.join(' '));
  }
  t.deepEqual(await pool.json<readonly Vm[]>('vm', 'list'), before);
  const hosts = await pool.json<readonly (Host & { memoryReserved: number })[]>('host', 'list');
  t.is(hosts[0]?.memoryReserved, 0);
});

test.serial('flotilla up refuses what it cannot do, and says what to do', async (t) => {
  t.timeout(600_000);
  const many = await pool.run('up', '--dir', pool.directory, '--hosts', '100000');
  t.is(many.code, 2);
  t.regex(many.stderr, /whole number from 1 to 64/);
  const missing = await pool.run('host', 'up', '--config', `${pool.directory}/none.json`);
  t.is(missing.code, 2);
  t.regex(missing.stderr, /no such file/);
});
