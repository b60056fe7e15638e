import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fail, ok } from '../../base/result.ts';
import { supervisorSocket } from '../../pool/supervision/messages.ts';
import { type SupervisorHandlers, serveSupervisor } from '../../pool/supervision/serve.ts';
import { isGolden } from '../testing/golden.ts';
import { run, transcript, until } from '../testing/run.ts';
import { simulatedPool } from '../testing/simulated-pool.ts';

/** What a host's supervisor does in these tests: `storage` does not start again. */
function handlers(host: string, kind: 'process' | 'guest'): SupervisorHandlers {
  const one = (service: string, id: number) =>
    ({ service, kind, state: 'serving', id, starts: 1, detail: '' }) as const;
  return {
    host,
    status: () => [one('consensus', 3), one('storage', 5)],
    restart: (service, onProgress) => {
      onProgress(`${service} is asked to stop`);
      onProgress(`${service} is started`);
      if (service === 'consensus') return Promise.resolve(ok({ away: 1234, id: 7 }));
      const message = 'storage is not started: its kernel is not the one that was signed';
      return Promise.resolve(fail({ message, remedy: 'Put the image right.' }));
    },
  };
}

/** A pool's directory on this machine, with the supervisors of some of its hosts; the others are elsewhere. */
async function place(
  t: ExecutionContext,
  supervisors: Readonly<Record<string, SupervisorHandlers>>,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-cli-'));
  const pool = await simulatedPool(2);
  t.teardown(() => pool.close());
  const hosts = pool.addresses.map((address, index) => ({
    name: `host-${index + 1}`,
    endpoints: { 'vm-lifecycle': address },
  }));
  mkdirSync(join(directory, '.flotilla'));
  const file = join(directory, '.flotilla', 'pool.json');
  writeFileSync(file, JSON.stringify({ name: 'sea', hosts, identity: null }));
  for (const [host, handlers] of Object.entries(supervisors)) {
    const path = join(directory, '.flotilla', host, supervisorSocket);
    const served = await serveSupervisor(path, handlers);
    if (!served.ok) throw new Error(served.error);
    t.teardown(() => served.value.close());
  }
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function session(
  t: ExecutionContext,
  name: string,
  directory: string,
  lines: readonly string[],
): Promise<void> {
  const transcripts: string[] = [];
  for (const line of lines) transcripts.push(await transcript(line.split(' '), { directory }));
  isGolden(t, name, transcripts.join('\n\n').replaceAll(directory, '/home/me'));
}

test('a service is started anew, and it is said how that went and how long it took', async (t) => {
  const directory = await place(t, { 'host-1': handlers('host-1', 'guest') });
  await session(t, 'host-restart', directory, [
    'host restart --help',
    'host restart consensus',
    'host restart consensus --json',
    'host restart storage',
    'host restart storage --json',
    'host restart network',
    'host restart consensus --host host-2',
    'host restart consensus --socket nowhere.sock',
    'host restart cooking',
  ]);
});

test('where several hosts are on one machine, one has to be named', async (t) => {
  const directory = await place(t, {
    'host-1': handlers('host-1', 'process'),
    'host-2': handlers('host-2', 'process'),
  });
  await session(t, 'host-restart-which', directory, [
    'host restart consensus',
    'host restart consensus --host host-2',
  ]);
});

test('a pool whose hosts are elsewhere is asked by its API', async (t) => {
  const directory = await place(t, {});
  await session(t, 'host-restart-elsewhere', directory, [
    'host restart consensus',
    'host restart consensus --host host-2',
  ]);
});

test('who does not wait for the end is told that it goes on', async (t) => {
  const asked = Promise.withResolvers<void>();
  const directory = await place(t, {
    'host-1': {
      ...handlers('host-1', 'process'),
      restart: (_service, onProgress) => {
        onProgress('consensus is asked to stop');
        asked.resolve();
        return new Promise(() => undefined);
      },
    },
  });
  const restart = run(['host', 'restart', 'consensus'], { directory });
  await asked.promise;
  await until(() => restart.stderr.includes('is asked to stop'));
  restart.interrupt();
  t.is(await restart.exitCode, 130);
  t.regex(restart.stderr, /interrupted: consensus of host-1 is started anew, and nobody waits/);
  const brief = run(['host', 'restart', 'consensus', '--timeout', '50ms'], { directory });
  t.is(await brief.exitCode, 5);
});
