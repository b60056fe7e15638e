import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { XenstoreClient } from '../../services/xenstore/client/client.ts';
import { unixSocket } from '../../services/xenstore/client/transports/unix-socket.ts';
import { XenstoredProcess } from './xenstored-process.ts';

async function clientOf(path: string): Promise<XenstoreClient> {
  const opened = await XenstoreClient.open(unixSocket(path));
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

test('a xenstored alone needs a socket and nothing else, and its tree outlives a kill', async (t) => {
  t.timeout(300_000);
  const xenstored = new XenstoredProcess();
  t.teardown(() => xenstored.dispose());
  const serving = await xenstored.start();
  t.is(serving.address, undefined, 'no gRPC is served unless --listen is given');
  t.is(serving.data, `${xenstored.socket}.data`);
  const before = await clientOf(xenstored.socket);
  t.true((await before.write('/vm/web/name', 'web')).ok);
  await xenstored.end('SIGKILL');
  await xenstored.start();
  const after = await clientOf(xenstored.socket);
  t.deepEqual(await after.readText('/vm/web/name'), { ok: true, value: 'web' });
  after.close();
  t.is(await xenstored.end('SIGTERM'), 0);
});

test('the two commands of docs/xenstore.md are all that it takes', async (t) => {
  t.timeout(300_000);
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'xenstore.md'), 'utf8');
  const block = /^```\n([\s\S]*?)^```/m.exec(page)?.[1] ?? '';
  const xenstored = new XenstoredProcess();
  t.teardown(() => xenstored.dispose());
  const commands = block
    .trim()
    .split('\n')
    .map((line) => line.replace('/tmp/xenstore/socket', xenstored.socket).split(' '));
  const [daemon, look, ...more] = commands.map(([npx, flotilla, ...words]) => {
    t.deepEqual([npx, flotilla], ['npx', 'flotilla']);
    return words;
  });
  t.deepEqual(more, []);
  t.deepEqual(
    daemon,
    ['xenstored', '--socket', xenstored.socket, '--no-rings'],
    'as it is started',
  );
  await xenstored.start();
  const looked = await xenstored.flotilla(...(look ?? []));
  t.is(looked.stdout, 'tool = ""\n xenstored = ""\n', looked.stderr);
});

test('a second xenstored on the same socket is refused, and harms nothing of the first', async (t) => {
  t.timeout(300_000);
  const xenstored = new XenstoredProcess();
  t.teardown(() => xenstored.dispose());
  await xenstored.start();
  const second = await xenstored.flotilla('xenstored', '--socket', xenstored.socket, '--no-rings');
  t.is(second.code, 1);
  t.regex(second.stderr, /served by another xenstored; stop that one, or choose another --socket/);
  const client = await clientOf(xenstored.socket);
  t.true((await client.write('/after', 'the attempt')).ok);
  await xenstored.end('SIGKILL');
  await xenstored.start();
  const again = await clientOf(xenstored.socket);
  t.deepEqual(await again.readText('/after'), { ok: true, value: 'the attempt' });
  again.close();
});

test('where no descriptor is left, whoever is connected is served, and the others when there is one', async (t) => {
  t.timeout(300_000);
  const xenstored = new XenstoredProcess();
  t.teardown(() => xenstored.dispose());
  await xenstored.start();
  const client = await clientOf(xenstored.socket);
  const open = readdirSync(`/proc/${xenstored.pid}/fd`).map(Number);
  // A number is free below the limit for each that is missing among those that are open.
  const limit = Math.max(...open) + 4;
  execFileSync('prlimit', ['--pid', String(xenstored.pid), `--nofile=${limit}`]);
  const many = Array.from({ length: limit }, () => connect(xenstored.socket));
  while (!xenstored.log.some(({ msg }) => /cannot be accepted: EMFILE/.test(String(msg))))
    await new Promise((resolve) => setTimeout(resolve, 10));
  t.true((await client.write('/vm', 'served')).ok);
  for (const socket of many) socket.destroy();
  const other = await clientOf(xenstored.socket);
  t.deepEqual(await other.readText('/vm'), { ok: true, value: 'served' });
  client.close();
  other.close();
});

test('what cannot be is refused with the field or the place, and what to do', async (t) => {
  t.timeout(300_000);
  const xenstored = new XenstoredProcess();
  t.teardown(() => xenstored.dispose());
  const rows: readonly (readonly [flags: readonly string[], code: number, said: RegExp])[] = [
    [['--socket', '/dev/null/x/socket'], 1, /cannot make \/dev\/null.*--socket and --data-dir/],
    [['--socket', `/tmp/${'x'.repeat(120)}`], 2, /socket: .*107/],
    [['--listen', '0.0.0.0:0'], 2, /there is no certificate/],
    [['--listen', 'nowhere'], 2, /listen: write HOST:PORT/],
  ];
  for (const [flags, code, said] of rows) {
    const words = ['xenstored', '--data-dir', join(xenstored.directory, 'data'), ...flags];
    const ran = await xenstored.flotilla(...words);
    t.is(ran.code, code, `${flags.join(' ')}: ${ran.stderr}`);
    t.regex(ran.stderr, said);
  }
  t.false(existsSync(xenstored.socket));
});
