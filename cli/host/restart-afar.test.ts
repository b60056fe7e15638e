import test, { type ExecutionContext } from 'ava';
import { ok } from '../../base/result.ts';
import { goldenSession } from '../testing/golden-session.ts';
import { type Run, run, until } from '../testing/run.ts';
import { type SimulatedPool, simulatedPool } from '../testing/simulated-pool.ts';

test('a service of any host of the pool is started anew from afar', (t) =>
  goldenSession(t, 'host-restart-afar', [
    'host restart consensus --host host-2',
    'host restart consensus --host host-2 --json',
    'host restart consensus',
    'host restart storage --host host-1',
    'host restart storage --host host-1 --json',
    'host restart network --host host-1',
    'host restart consensus --host host-9',
  ]));

test('the one host of a pool need not be named; without the database it has to be', (t) =>
  goldenSession(
    t,
    'host-restart-no-database',
    ['host restart consensus', 'host restart consensus --host host-1'],
    ({ state }) => {
      state.failure = {
        reason: 'DATABASE_UNAVAILABLE',
        message: 'the pool database has no leader',
        remedy: 'More than half of its members must run.',
      };
    },
    { hosts: 1 },
  ));

async function pretend(t: ExecutionContext, hosts = 1): Promise<SimulatedPool> {
  const pool = await simulatedPool(hosts);
  t.teardown(() => pool.close());
  return pool;
}

function restarting(pool: SimulatedPool, ...words: readonly string[]): Run {
  return run(['host', 'restart', ...words, '--pool', pool.addresses.join(',')]);
}

test('a pool of one host, whose database answers, has one that can be meant', async (t) => {
  const restart = restarting(await pretend(t), 'consensus');
  t.is(await restart.exitCode, 0);
  t.is(
    restart.stdout,
    'consensus of host-1 serves again as domain 7; it was away for 1.2 s\n',
    restart.stderr,
  );
});

/** The service of host-1 ends under whoever asked for it, as a vm-lifecycle does that is started anew. */
function ends(pool: SimulatedPool): void {
  pool.supervisors.restart = async (_service, onProgress) => {
    onProgress('vm-lifecycle is asked to end');
    pool.kill(0);
    return ok(null);
  };
}

/** What the supervisor of host-1 says of the next run. */
function next(pool: SimulatedPool, state: string, id: number | null, detail = ''): void {
  const [old, ...others] = pool.supervisors.kept.get('host-1') ?? [];
  if (old === undefined) throw new Error('host-1 keeps its vm-lifecycle');
  pool.supervisors.kept.set('host-1', [{ ...old, state, id, starts: 2, detail }, ...others]);
}

for (const hosts of [1, 2])
  test(`a vm-lifecycle that ends while it answers is waited for, in a pool of ${hosts}`, async (t) => {
    const pool = await pretend(t, hosts);
    ends(pool);
    const restart = restarting(pool, 'vm-lifecycle', '--host', 'host-1', '--json');
    const told = restarting(pool, 'vm-lifecycle', '--host', 'host-1');
    await until(() => told.stderr.includes('vm-lifecycle of host-1 ends; asking until it serves'));
    // The port answers before the service serves: the old run's words are not taken for the new one's.
    await pool.revive(0);
    next(pool, 'starting', null);
    next(pool, 'serving', 950);
    t.is(await restart.exitCode, 0, restart.stderr);
    const answer = JSON.parse(restart.stdout);
    t.like(answer, { service: 'vm-lifecycle', host: 'host-1', kind: 'process', id: 950 });
    t.true(answer.awayMilliseconds > 0);
    t.is(await told.exitCode, 0, told.stderr);
    t.regex(
      told.stdout,
      /^vm-lifecycle of host-1 serves again as process 950; it was away for [\d.]+ s$/m,
    );
  });

test('one that does not come to serve is told with its reason, and one that is not there in time', async (t) => {
  const pool = await pretend(t, 2);
  ends(pool);
  const refused = restarting(pool, 'vm-lifecycle', '--host', 'host-1');
  await until(() => refused.stderr.includes('asking until it serves'));
  next(pool, 'refused', null, 'exit code 2: its configuration is wrong');
  await pool.revive(0);
  t.is(await refused.exitCode, 1);
  t.regex(
    refused.stderr,
    /does not start: it is refused \(exit code 2: its configuration is wrong/,
  );

  const late = restarting(pool, 'vm-lifecycle', '--host', 'host-1', '--timeout', '2s');
  t.is(await late.exitCode, 5);
  t.regex(late.stderr, /vm-lifecycle of host-1 is started anew, and nobody waits for it any more/);
});

test('Ctrl-C ends the waiting, not the restart', async (t) => {
  const pool = await pretend(t);
  pool.supervisors.restart = (service, onProgress) => {
    onProgress(`${service} is asked to stop`);
    return new Promise(() => undefined);
  };
  const restart = restarting(pool, 'consensus', '--host', 'host-1');
  await until(() => restart.stderr.includes('is asked to stop'));
  restart.interrupt();
  t.is(await restart.exitCode, 130);
  t.regex(restart.stderr, /interrupted: consensus of host-1 is started anew, and nobody waits/);
});

test('who leaves before a host has answered is told that nothing is known', async (t) => {
  const pool = await pretend(t);
  const asked = Promise.withResolvers<void>();
  pool.supervisors.look = () => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const restart = restarting(pool, 'consensus', '--host', 'host-1');
  await asked.promise;
  restart.interrupt();
  t.is(await restart.exitCode, 130);
  t.regex(restart.stderr, /interrupted: whether consensus of host-1 is started anew is not known/);
});
