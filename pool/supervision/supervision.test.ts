import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { fail, ok } from '../../base/result.ts';
import { askSupervisor } from './ask.ts';
import { lineMax } from './messages.ts';
import { type SupervisorHandlers, serveSupervisor } from './serve.ts';

const consensus = {
  service: 'consensus',
  kind: 'guest',
  state: 'serving',
  id: 3,
  starts: 1,
  detail: '',
} as const;

const calm: SupervisorHandlers = {
  host: 'host-1',
  status: () => [consensus],
  restart: (service, onProgress) => {
    onProgress('is asked to stop');
    onProgress('is started');
    return Promise.resolve(
      service === 'consensus'
        ? ok({ away: 1234, id: 4 })
        : fail({ message: `there is no ${service}`, remedy: 'Name another.' }),
    );
  },
};

async function withSocket(
  handlers: SupervisorHandlers,
  work: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'supervisor-'));
  const path = join(directory, 'run', 'supervisor.sock');
  const served = await serveSupervisor(path, handlers);
  if (!served.ok) throw new Error(served.error);
  await work(path);
  await served.value.close();
  await rm(directory, { recursive: true });
}

test('who asks is told of the progress, and of the end', async (t) => {
  await withSocket(calm, async (path) => {
    t.deepEqual(await askSupervisor(path, { ask: 'status' }), {
      ok: true,
      value: { kind: 'status', host: 'host-1', services: [consensus] },
    });
    const progress: string[] = [];
    const onProgress = (text: string) => progress.push(text);
    const done = await askSupervisor(
      path,
      { ask: 'restart', service: 'consensus' },
      { onProgress },
    );
    t.deepEqual(done, {
      ok: true,
      value: { kind: 'restarted', service: 'consensus', away: 1234, id: 4 },
    });
    t.deepEqual(progress, ['is asked to stop', 'is started']);
    const refused = await askSupervisor(path, { ask: 'restart', service: 'nothing' });
    t.like(refused, { value: { kind: 'failed', message: 'there is no nothing' } });
  });
});

test('the socket is for its user alone, and has one supervisor', async (t) => {
  await withSocket(calm, async (path) => {
    t.is((await stat(path)).mode & 0o777, 0o600);
    const second = await serveSupervisor(path, calm);
    t.regex(second.ok ? '' : second.error, /another supervisor serves .*supervisor\.sock/);
    t.true((await askSupervisor(path, { ask: 'status' })).ok);
  });
});

test('what a killed supervisor left is replaced, and until then nobody answers', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'supervisor-'));
  const path = join(directory, 'supervisor.sock');
  t.like(await askSupervisor(path, { ask: 'status' }), { error: { kind: 'away' } });
  await writeFile(path, '');
  t.like(await askSupervisor(path, { ask: 'status' }), { error: { kind: 'away' } });
  const served = await serveSupervisor(path, calm);
  t.true(served.ok);
  t.true((await askSupervisor(path, { ask: 'status' })).ok);
  if (served.ok) await served.value.close();
  await rm(directory, { recursive: true });
});

test('what is no request is answered so, and an endless line ends the connection', async (t) => {
  await withSocket(calm, async (path) => {
    const say = (text: string) =>
      new Promise<string>((resolve) => {
        let answer = '';
        const socket = connect(path, () => socket.write(text));
        socket.on('data', (data) => {
          answer += data.toString();
        });
        socket.on('error', () => undefined);
        socket.once('close', () => resolve(answer));
      });
    t.regex(await say('{"ask":"dance"}\n'), /"kind":"failed".*does not know what it was asked/);
    t.regex(await say('no json\n'), /"kind":"failed"/);
    t.is(await say('x'.repeat(lineMax + 1)), '');
  });
});

test('a restart that nobody waits for any more is told so to the supervisor', async (t) => {
  const gone = Promise.withResolvers<void>();
  const patient: SupervisorHandlers = {
    ...calm,
    restart: (_service, onProgress, signal) => {
      onProgress('is asked to stop');
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          gone.resolve();
          resolve(fail({ message: 'nobody waits', remedy: '' }));
        }),
      );
    },
  };
  await withSocket(patient, async (path) => {
    const request = { ask: 'restart', service: 'consensus' } as const;
    const asked = await askSupervisor(path, request, { signal: AbortSignal.timeout(50) });
    t.like(asked, { ok: false, error: { kind: 'stopped' } });
    await gone.promise;
  });
});
