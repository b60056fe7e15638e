import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { run } from '../testing/run.ts';
import { simulatedPool } from '../testing/simulated-pool.ts';

/** A socket that takes requests and does with them what `serve` does. */
async function socketThat(t: ExecutionContext, serve: (socket: Socket) => void): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'xenstore-cli-'));
  const path = join(directory, 'socket');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  }).listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true });
  });
  return path;
}

async function ends(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ran = run(['xenstore', ...words], { env });
  return { exitCode: await ran.exitCode, stdout: ran.stdout, stderr: ran.stderr };
}

test('a xenstored that does not answer within --timeout is given up', async (t) => {
  const path = await socketThat(t, (socket) => socket.resume());
  for (const words of [
    ['read', '/a'],
    ['ls'],
    ['control', 'check'],
    ['write', '/a', '1', '/b', '2'],
    ['watch', '/a'],
  ]) {
    const [verb = '', ...rest] = words;
    const ran = await ends([verb, '--socket', path, '--timeout', '50ms', ...rest]);
    t.is(ran.exitCode, 5, `${words.join(' ')}: ${ran.stderr}`);
  }
  const { stderr } = await ends(['read', '/a', '--socket', path, '--timeout', '50ms']);
  t.regex(stderr, /^error: cannot read \/a: xenstored did not answer in time\nwhat to do: /);
});

test('a xenstored that is lost, or is none, is told with what was asked', async (t) => {
  const lost = await socketThat(t, (socket) => socket.once('data', () => socket.destroy()));
  const closed = await ends(['read', '/a', '--socket', lost]);
  t.is(closed.exitCode, 3);
  t.regex(closed.stderr, /^error: cannot read \/a: .*closed/);
  const watched = await ends(['watch', '/a', '--socket', lost]);
  t.is(watched.exitCode, 3);
  const other = await socketThat(t, (socket) => {
    socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    socket.resume();
  });
  const none = await ends(['list', '/', '--socket', other]);
  t.is(none.exitCode, 3);
  t.regex(none.stderr, /what to do: start one with `flotilla xenstored`/);
});

test("a host whose xenstored does not run, or is not known, is told by the host's name", async (t) => {
  const pool = await simulatedPool();
  t.teardown(() => pool.close());
  const env = { FLOTILLA_POOL: pool.addresses.join(',') };
  const host = pool.state.find('host', 'host-1');
  if (host === undefined) return t.fail();
  pool.state.put('host', { ...host, endpoints: { xenstore: '127.0.0.1:1' } });
  for (const words of [['read', '/a'], ['ls'], ['watch', '/a'], ['control', 'check']]) {
    const [verb = '', ...rest] = words;
    const ran = await ends([verb, '--host', 'host-1', ...rest], env);
    t.is(ran.exitCode, 3, words.join(' '));
    t.regex(
      ran.stderr,
      /^error: the xenstored of host-1 does not answer\n {2}connection refused\n/,
      words.join(' '),
    );
  }
  pool.state.put('host', { ...host, endpoints: {} });
  const unknown = await ends(['read', '--host', 'host-1', '/a'], env);
  t.is(unknown.exitCode, 3);
  t.regex(unknown.stderr, /^error: host-1 has no xenstored that is known/);
});
