import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fail, ok } from '../../base/result.ts';
import { hostSupervisors } from './host-supervisors.ts';
import type { Supervised } from './messages.ts';
import { type SupervisorHandlers, serveSupervisor } from './serve.ts';

const never = new AbortController().signal;

function kept(service: string, kind: Supervised['kind']): Supervised {
  return { service, kind, state: 'serving', id: 3, starts: 1, detail: '' };
}

/** A supervisor of some services, which restarts all of them but storage. */
function handlers(host: string, ...services: readonly Supervised[]): SupervisorHandlers {
  return {
    host,
    status: () => services,
    restart: async (service, onProgress) => {
      onProgress(`${service} is started`);
      if (service !== 'storage') return ok({ away: 1500, id: 4 });
      return fail({ message: 'storage does not start: no room', remedy: 'See its log.' });
    },
  };
}

/** Sockets that are served as said; null: nobody serves it. */
async function sockets(t: ExecutionContext, ...all: readonly (SupervisorHandlers | null)[]) {
  const directory = await mkdtemp(join(tmpdir(), 'supervisors-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const paths: string[] = [];
  for (const [index, handlers] of all.entries()) {
    const path = join(directory, `${index}.sock`);
    paths.push(path);
    if (handlers === null) continue;
    const served = await serveSupervisor(path, handlers);
    if (!served.ok) throw new Error(served.error);
    t.teardown(() => served.value.close());
  }
  return paths;
}

test("a host's processes and its guests are listed together, and each is restarted by whoever keeps it", async (t) => {
  const processes = handlers('host-1', kept('vm-lifecycle', 'process'), kept('storage', 'process'));
  const guests = handlers('host-1', kept('consensus', 'guest'));
  const supervisors = hostSupervisors('host-1', await sockets(t, processes, guests));
  const list = await supervisors.list();
  t.deepEqual(list, ok([...processes.status(), ...guests.status()]));

  const consensus = await supervisors.find('consensus');
  if (!consensus.ok) return t.fail(consensus.error.message);
  t.deepEqual(consensus.value.service, kept('consensus', 'guest'));
  const progress: string[] = [];
  const done = await consensus.value.restart((text) => progress.push(text), never);
  t.deepEqual(done, ok({ away: 1500, id: 4 }));
  t.deepEqual(progress, ['consensus is started']);

  const storage = await supervisors.find('storage');
  if (!storage.ok) return t.fail(storage.error.message);
  t.like(await storage.value.restart(() => undefined, never), {
    ok: false,
    error: {
      reason: 'WRONG_STATE',
      message: 'storage does not start: no room',
      remedy: 'See its log.',
    },
  });
  t.like(await supervisors.find('network'), {
    ok: false,
    error: {
      reason: 'NOT_FOUND',
      message: 'no supervisor keeps network for host-1',
      remedy: 'Its services are vm-lifecycle, storage, consensus.',
    },
  });
});

test('who does not wait any more lets the restart go on', async (t) => {
  const asked = Promise.withResolvers<AbortSignal>();
  const patient: SupervisorHandlers = {
    ...handlers('host-1', kept('network', 'process')),
    restart: (_service, _onProgress, signal) => {
      asked.resolve(signal);
      return new Promise(() => undefined);
    },
  };
  const supervisors = hostSupervisors('host-1', await sockets(t, patient));
  const network = await supervisors.find('network');
  if (!network.ok) return t.fail(network.error.message);
  const leave = new AbortController();
  const restarted = network.value.restart(() => undefined, leave.signal);
  await asked.promise;
  leave.abort();
  t.deepEqual(await restarted, ok(null));
});

test('a supervisor that is away, or of another host, is named with the reason', async (t) => {
  const processes = handlers('host-1', kept('service-guests', 'process'));
  const other = handlers('host-2', kept('consensus', 'guest'));
  const paths = await sockets(t, processes, null, other);
  const supervisors = hostSupervisors('host-1', paths);
  t.deepEqual(await supervisors.list(), ok(processes.status()));
  const consensus = await supervisors.find('consensus');
  if (consensus.ok) return t.fail('it is of another host');
  t.is(consensus.error.reason, 'SERVICE_UNAVAILABLE');
  t.true(consensus.error.message.includes(`${paths[1]}: connect ENOENT`), consensus.error.message);
  t.true(consensus.error.message.includes(`${paths[2]}: it is of host-2`));
  t.regex(consensus.error.remedy, /flotilla host restart service-guests/);
});

test('where no supervisor answers, or none is known, it is said what to do', async (t) => {
  const silent = await hostSupervisors('host-1', await sockets(t, null)).list();
  t.like(silent, { ok: false, error: { reason: 'SERVICE_UNAVAILABLE' } });
  t.regex(silent.ok ? '' : silent.error.message, /no supervisor of host-1 answers \(.*0\.sock/);
  t.regex(silent.ok ? '' : silent.error.remedy, /flotilla host up/);
  const untold = await hostSupervisors('host-1', []).find('storage');
  t.like(untold, { ok: false, error: { reason: 'WRONG_STATE' } });
  t.regex(untold.ok ? '' : untold.error.remedy, /"supervisors" of its configuration/);
});
