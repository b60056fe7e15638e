import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { present } from '../../base/assert.ts';
import { GuestHost } from './guest-host.ts';
import { PoolProcess, type Ran } from './pool-process.ts';

/** The fields of the CLI's JSON that are looked at here. */
interface Host {
  readonly endpoints: { readonly 'vm-lifecycle': string };
  readonly supervised: readonly {
    readonly service: string;
    readonly form: string;
    readonly state: string;
    readonly id: number;
    readonly starts: number;
  }[];
}
interface Restarted {
  readonly id: number;
  readonly awayMilliseconds: number;
}
interface Vm {
  readonly powerState: string;
  readonly domid: number;
}

/** Two hosts, and a directory elsewhere, which knows of them their addresses and who the operator is. */
const pool = new PoolProcess();
const elsewhere = mkdtempSync(join(tmpdir(), 'flotilla-afar-'));
const addresses = new Map<string, string>();

/** Copies one identity of the pool, as somebody has it who has nothing else. */
function take(from: string, name: string): string {
  const directory = join(elsewhere, from.replaceAll('/', '-'), name);
  mkdirSync(directory, { recursive: true });
  for (const file of ['ca.pem', `${name}.pem`, `${name}-key.pem`])
    copyFileSync(join(pool.directory, from, file), join(directory, file));
  return directory;
}

let operator = '';

/** `flotilla ...` as it is typed elsewhere, to the vm-lifecycle of one host. */
function afar(by: string, words: readonly string[], identity = operator): Promise<Ran> {
  const address = present(addresses.get(by), `the address of ${by}`);
  return pool.run(...words, '--pool', address, '--identity', identity);
}

async function restarted(by: string, service: string, host: string): Promise<Restarted> {
  const ran = await afar(by, ['host', 'restart', service, '--host', host, '--json']);
  if (ran.code !== 0) throw new Error(`${service} of ${host}: ${ran.stderr}\n${pool.logs()}`);
  return JSON.parse(ran.stdout) as Restarted;
}

test.before(async (t) => {
  t.timeout(600_000);
  await pool.start('--hosts', '2', '--hypervisor', 'simulated');
  for (const host of ['host-1', 'host-2']) {
    const { endpoints } = await pool.json<Host>('host', 'show', host);
    addresses.set(host, endpoints['vm-lifecycle']);
  }
  operator = take('identity', 'operator');
});

test.after.always(async () => {
  await pool.dispose();
  rmSync(elsewhere, { recursive: true, force: true });
});

test.serial(
  'each service of each host is started anew by way of one host, and VMs run on',
  async (t) => {
    t.timeout(600_000);
    const words = ['--name', 'web', '--memory', '64MiB', '--vcpus', '1', '--host', 'host-2'];
    await pool.json('vm', 'create', ...words, '--disk', '1MiB', '--network', 'default', '--start');
    const web = () => pool.json<Vm>('vm', 'show', 'web');
    const { domid } = await web();
    for (const host of ['host-1', 'host-2'])
      for (const service of ['storage', 'network', 'xenstore', 'consensus', 'vm-lifecycle']) {
        const [old] = pool.pids(host, service);
        const answer = await restarted('host-1', service, host);
        t.log(`${service} of ${host} was away for ${answer.awayMilliseconds} ms`);
        t.like(answer, { service, host, kind: 'process' });
        t.deepEqual(pool.pids(host, service), [answer.id], `${service} of ${host}`);
        t.not(answer.id, old, `${service} of ${host}`);
        t.true(answer.awayMilliseconds > 0, `${service} of ${host}`);
      }
    t.like(await web(), { powerState: 'POWER_STATE_RUNNING', domid });

    const shown = await afar('host-1', ['host', 'show', 'host-2', '--json']);
    const { supervised } = JSON.parse(shown.stdout) as Host;
    t.deepEqual(
      supervised.map(({ service, form, state, starts }) => [service, form, state, starts]),
      ['consensus', 'xenstore', 'storage', 'network', 'vm-lifecycle'].map((service) => [
        ...[service, 'SERVICE_FORM_PROCESS', 'serving', 2],
      ]),
    );
    for (const { service, id } of supervised) t.deepEqual(pool.pids('host-2', service), [id]);
  },
);

test.serial(
  'people read how it goes, which host is meant has to be said, and one that is none is refused',
  async (t) => {
    t.timeout(600_000);
    const told = await afar('host-1', ['host', 'restart', 'vm-lifecycle', '--host', 'host-1']);
    t.is(told.code, 0, told.stderr);
    t.regex(told.stderr, /vm-lifecycle is asked to end\n.*asking until it serves again/s);
    t.regex(
      told.stdout,
      /^vm-lifecycle of host-1 serves again as process \d+; it was away for [\d.]+ s$/m,
    );
    const which = await afar('host-1', ['host', 'restart', 'storage']);
    t.is(which.code, 2);
    t.regex(which.stderr, /name one: --host host-1 or --host host-2/);
    const none = await afar('host-1', ['host', 'restart', 'storage', '--host', 'host-9']);
    t.is(none.code, 4);
    t.regex(none.stderr, /there is no host "host-9"/);
    const guests = await afar('host-2', ['host', 'restart', 'service-guests', '--host', 'host-1']);
    t.is(guests.code, 4);
    t.regex(guests.stderr, /no supervisor keeps service-guests for host-1/);
  },
);

test.serial('members of the database that hang are started anew without a database', async (t) => {
  t.timeout(600_000);
  const hosts = ['host-1', 'host-2'];
  const hung = hosts.flatMap((host) => [...pool.pids(host, 'consensus')]);
  for (const pid of hung) process.kill(pid, 'SIGSTOP');
  const again = await Promise.all(hosts.map((host) => restarted(host, 'consensus', host)));
  t.deepEqual(
    again.map(({ id }) => id),
    hosts.flatMap((host) => [...pool.pids(host, 'consensus')]),
  );
  for (const { id } of again) t.false(hung.includes(id));
  const listed = await afar('host-1', ['vm', 'list']);
  t.is(listed.code, 0, listed.stderr);
});

test.serial('whoever is not the operator is refused, and nothing is started anew', async (t) => {
  t.timeout(600_000);
  const before = pool.pids('host-1', 'network');
  for (const service of ['storage', 'network', 'xenstore', 'consensus']) {
    const identity = take('host-1/identity', service);
    const words = ['host', 'restart', 'network', '--host', 'host-1'];
    const ran = await afar('host-1', words, identity);
    t.is(ran.code, 1, service);
    t.regex(
      ran.stderr,
      new RegExp(`host-1/${service} may not call .*SupervisorService/RestartService of host-1`),
    );
  }
  t.deepEqual(pool.pids('host-1', 'network'), before);
});

/** Gives the vm-lifecycle of a host other supervisors to ask, with its next start. */
function tellSupervisors(host: string, supervisors: readonly string[] | undefined): void {
  const file = join(pool.directory, host, 'vm-lifecycle.json');
  const configuration = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...configuration, supervisors }));
}

test.serial('a service guest is started anew, and one that is refused says why', async (t) => {
  t.timeout(600_000);
  const guests = new GuestHost();
  t.teardown(() => guests.dispose());
  await guests.begin();
  guests.supervise();
  for (const service of guests.services) await guests.serving(service);
  // Its guests have the names of the host's processes: they are asked for first.
  tellSupervisors('host-1', [guests.socket, join(pool.directory, 'host-1', 'supervisor.sock')]);
  await restarted('host-1', 'vm-lifecycle', 'host-1');
  for (const service of guests.services) {
    const answer = await restarted('host-2', service, 'host-1');
    t.like(answer, { service, host: 'host-1', kind: 'guest' });
    t.is(Number(await guests.serving(service, 2)), answer.id, service);
  }

  const kernel = join(guests.directory, 'images', 'storage', 'vmlinuz');
  const changed = Buffer.from(readFileSync(kernel));
  changed.writeUInt8(changed.readUInt8(0) ^ 1, 0);
  writeFileSync(kernel, changed);
  const ran = await afar('host-2', ['host', 'restart', 'storage', '--host', 'host-1']);
  t.is(ran.code, 1);
  t.regex(ran.stderr, /storage is not started: .*vmlinuz \(kernel\): expected SHA-256/);
  const shown = await afar('host-2', ['host', 'show', 'host-1']);
  t.regex(shown.stdout, /kept running +consensus +serving +domain \d+, started 2 times\n/);
  t.regex(shown.stdout, /storage +refused +.*vmlinuz \(kernel\): expected SHA-256/);
});

test.serial(
  'a configuration that does not name the supervisors serves, and says what is missing',
  async (t) => {
    t.timeout(600_000);
    const file = join(pool.directory, 'host-2', 'vm-lifecycle.json');
    const { supervisors } = JSON.parse(readFileSync(file, 'utf8'));
    t.deepEqual(supervisors, [join(pool.directory, 'host-2', 'supervisor.sock')]);
    tellSupervisors('host-2', undefined);
    const end = await restarted('host-1', 'vm-lifecycle', 'host-2').catch((error) => String(error));
    t.regex(
      String(end),
      /vm-lifecycle of host-2 was not told where the supervisors of its host are/,
    );
  },
);
