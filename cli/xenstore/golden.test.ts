import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { serve } from '../../pool/rpc/server.ts';
import { processControl } from '../../services/xenstore/adapters/control.ts';
import { Daemon } from '../../services/xenstore/adapters/daemon.ts';
import { localXenstore, xenstoreService } from '../../services/xenstore/adapters/grpc.ts';
import { Journal } from '../../services/xenstore/adapters/journal.ts';
import { Trace } from '../../services/xenstore/adapters/trace.ts';
import { serveUnixSocket } from '../../services/xenstore/adapters/unix-socket.ts';
import { LocalClient } from '../../test/fixtures/local-client.ts';
import { isGolden } from '../testing/golden.ts';
import { run, transcript, until } from '../testing/run.ts';
import { simulatedPool } from '../testing/simulated-pool.ts';

/** A xenstored on a socket, which is also that of host-1 of a pool. */
async function serving(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'xenstore-cli-'));
  const path = join(directory, 'socket');
  const journal = Journal.open(join(directory, 'data'));
  if (!journal.ok) throw new Error(journal.error);
  const ignore = () => undefined;
  const trace = new Trace(join(directory, 'trace.log'), ignore);
  const parts = { trace, logs: directory, print: ignore, trouble: ignore };
  const begun = Daemon.open(journal.value, { control: processControl(parts) });
  if (!begun.ok) throw new Error(begun.error);
  const daemon = begun.value;
  const socket = await serveUnixSocket(daemon, path, ignore);
  const server = await serve({
    listen: '127.0.0.1:0',
    credentials: null,
    services: [xenstoreService(localXenstore(daemon))],
  });
  if (!socket.ok || !server.ok) throw new Error('it does not serve');
  const pool = await simulatedPool();
  const host = pool.state.find('host', 'host-1');
  if (host !== undefined)
    pool.state.put('host', { ...host, endpoints: { xenstore: server.value.address } });
  t.teardown(async () => {
    pool.close();
    await server.value.close();
    await socket.value.close();
    journal.value.close();
    rmSync(directory, { recursive: true });
  });
  const env = { XENSTORED_PATH: path, FLOTILLA_POOL: pool.addresses.join(',') };
  return { daemon, env, socket: path, path: directory };
}

/** What a person sees who runs these commands, one after the other. */
async function session(
  env: Readonly<Record<string, string>>,
  lines: readonly (readonly string[])[],
): Promise<string> {
  const transcripts: string[] = [];
  for (const words of lines) transcripts.push(await transcript(['xenstore', ...words], { env }));
  return transcripts.join('\n\n');
}

const words = (line: string) => line.split(' ');

const life: readonly (readonly string[])[] = [
  ...[
    'ls',
    'write /vm/web/name web /vm/web/memory 262144 /vm/db/name db',
    'read /vm/web/name',
    'read -p /vm/web/name /vm/db/name',
    'read /vm/web/name --json',
    'ls /vm',
    'ls -f -p /vm/web',
    'ls /vm --depth 1',
    'ls /vm/db --json',
    'list /vm /vm/db',
    'list -p /vm',
    'list /vm --json',
    'mkdir /vm/empty /vm/tidy/away',
    'exists /vm/empty',
    'exists /vm/empty /vm/none --json',
    'chmod -r /vm/web n7 r3',
    'chmod -u /vm/db/name b0 w32757',
    'perms /vm/web/name /vm/db /',
    'perms /vm/web --json',
    'rm -t /vm/tidy/away',
    'rm /vm/empty /vm/db --json',
    'ls /vm',
  ].map(words),
  ['write', '/bytes', 'one\\ntwo\\x00\\\\'],
  ['write', '--raw', '/raw', 'C:\\new'],
  ['read', '/bytes', '/raw'],
  ['read', '/bytes', '--json'],
  ['write', '/binary', '\\xff\\xfe'],
  ['read', '/binary', '--json'],
  ['read', '--raw', '/raw'],
];

test('nodes are made, read, listed, given away and removed, as people and programs see it', async (t) => {
  const { env } = await serving(t);
  isGolden(t, 'xenstore', await session(env, life));
});

test('over gRPC from a host of a pool it is the same', async (t) => {
  const overSocket = await session((await serving(t)).env, life);
  const { env } = await serving(t);
  const withHost = life.map(([verb = '', ...rest]) => [verb, '--host', 'host-1', ...rest]);
  const overGrpc = (await session(env, withHost)).replaceAll(' --host host-1', '');
  t.is(overGrpc, overSocket);
});

const refused: readonly (readonly string[])[] = [
  'read /none',
  'read /none --json',
  'read /a//b',
  'list /none',
  'rm /none/below',
  'rm /',
  'exists /none',
  'write /a',
  'write /a b\\q',
  'chmod /a x7',
  'chmod /none n0',
  'ls --depth few',
  'watch',
  'control none',
  'control quota set nodes -5',
  'control log +none',
].map(words);

test('what is refused is told with what failed, why, and what to do', async (t) => {
  const { env } = await serving(t);
  const long = ['write', '/long', 'x'.repeat(4096)];
  const others: readonly (readonly string[])[] = [
    ['ls', '--socket', '/no/such/socket'],
    ['ls', '--socket', '/no/such/socket', '--json'],
    ['ls', '--socket', '/x', '--host', 'host-1'],
    ['ls', '--host', 'host-9'],
  ];
  const text = await session(env, [...refused, long, ...others]);
  isGolden(t, 'xenstore-refused', text.replaceAll('x'.repeat(4096), 'xxx...'));
});

test('what a host refuses is told in the same words', async (t) => {
  const { env } = await serving(t);
  const overSocket = await session(env, refused);
  const withHost = refused.map(([verb = '', ...rest]) => [verb, '--host', 'host-1', ...rest]);
  t.is((await session(env, withHost)).replaceAll(' --host host-1', ''), overSocket);
});

test('xenstored is given commands, and its answers are printed', async (t) => {
  const { env, path } = await serving(t);
  const lines = [
    'control check',
    'control help',
    'control quota set nodes 2000',
    'control --json quota-soft',
    'control log',
    'control print hello',
  ].map(words);
  const text = await session(env, lines);
  isGolden(t, 'xenstore-control', text.replaceAll(path, '/run'));
  const withHost = lines.map(([verb = '', ...rest]) => [verb, '--host', 'host-1', ...rest]);
  t.is((await session(env, withHost)).replaceAll(' --host host-1', ''), text);
});

for (const [title, flags] of [
  ['over the socket', []],
  ['over gRPC', ['--host', 'host-1']],
] as const) {
  test(`a watch prints what changes, and ends after so many events: ${title}`, async (t) => {
    const { env, daemon } = await serving(t);
    const client = new LocalClient(daemon, () => undefined);
    const change = (node: string) => client.request('MKDIR', 0, Buffer.from(`${node}\0`));
    const lines = ['watch', '-n', '4', '--depth', '1', '/a', '/b', ...flags];
    const watching = run(['xenstore', ...lines], { env });
    await until(() => watching.stdout.split('\n').length > 2);
    change('/a/b');
    await until(() => watching.stdout.split('\n').length > 3);
    change('/a/b/too-deep');
    change('/b/d');
    t.is(await watching.exitCode, 0);
    const [first, second, ...more] = watching.stdout.split('\n');
    t.deepEqual([first, second].sort(), ['/a', '/b']);
    t.deepEqual(more.sort(), ['', '/a/b', '/b/d']);
    t.is(watching.stderr, '');
  });

  test(`a watch prints an object a line with --json, until Ctrl-C: ${title}`, async (t) => {
    const { env, daemon } = await serving(t);
    const client = new LocalClient(daemon, () => undefined);
    const watching = run(['xenstore', 'watch', '/a', '--json', ...flags], { env });
    await until(() => watching.stdout !== '');
    client.request('WRITE', 0, Buffer.from('/a/b\0x'));
    await until(() => watching.stdout.split('\n').length > 2);
    watching.interrupt();
    t.is(await watching.exitCode, 130);
    t.is(watching.stdout, '{"path":"/a","watched":"/a"}\n{"path":"/a/b","watched":"/a"}\n');
    // This test's own, and the one that serves gRPC.
    await until(() => daemon.clients === 2);
  });

  test(`what is watched with a wrong path is refused: ${title}`, async (t) => {
    const { env } = await serving(t);
    const watching = run(['xenstore', 'watch', '/a', '/b/', ...flags], { env });
    t.is(await watching.exitCode, 1);
    t.regex(watching.stderr, /^error: cannot watch \/b\/: EINVAL/);
  });
}

test('a value of any bytes is read from the standard input, and printed as it is', async (t) => {
  const { env } = await serving(t);
  const writing = run(['xenstore', 'write', '/v', '--stdin'], { env });
  writing.stdin.end(Buffer.from([0, 10, 255]));
  t.is(await writing.exitCode, 0);
  const read = run(['xenstore', 'read', '/v', '--json'], { env });
  t.is(await read.exitCode, 0);
  t.is(JSON.parse(read.stdout)[0].valueBase64, Buffer.from([0, 10, 255]).toString('base64'));
  const two = run(['xenstore', 'write', '/v', 'x', '--stdin'], { env });
  t.is(await two.exitCode, 2);
});

test('several nodes are written whole or not at all', async (t) => {
  const { env } = await serving(t);
  const written = run(['xenstore', 'write', '/w/a', '1', '/w//b', '2'], { env });
  t.is(await written.exitCode, 1);
  const exists = run(['xenstore', 'exists', '/w/a'], { env });
  t.is(await exists.exitCode, 4);
});

test('the help of every command of xenstore is what it was', async (t) => {
  const lines = ['', 'ls ', 'read ', 'write ', 'chmod ', 'rm ', 'watch ', 'control '];
  isGolden(
    t,
    'xenstore-help',
    await session(
      {},
      lines.map((verb) => words(`${verb}--help`)),
    ),
  );
});
