import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { type AgentEndpoint, AgentUnreachable, attach, execute } from './agent-client.ts';
import { freeTcpPort } from './free-port.ts';

// The agent runs on this machine here: it needs no Xen.
let endpoint: AgentEndpoint;
let agent: ChildProcess;

test.before('an agent listens', async () => {
  endpoint = { port: await freeTcpPort(), token: 'secret' };
  const program = join(import.meta.dirname, 'agent.ts');
  agent = spawn(process.execPath, [program, `${endpoint.port}:${endpoint.token}`]);
  if (agent.stdout !== null) await once(agent.stdout, 'data');
});

test.after.always('the agent is gone, and did not crash before', async (t) => {
  t.is(agent.exitCode, null);
  agent.kill('SIGKILL');
  await once(agent, 'exit');
});

const sh = (line: string): string[] => ['sh', '-c', line];

test('a command ends with its code and its outputs', async (t) => {
  const result = await execute(endpoint, sh('echo out; echo err >&2; exit 3'));
  t.is(result.code, 3);
  t.is(`${result.stdout}`, 'out\n');
  t.is(`${result.stderr}`, 'err\n');
  t.false(result.timedOut);
  t.false(result.truncated);
});

test('arguments are passed as they are', async (t) => {
  const words = ['a b', "it's", '$HOME', '*', '', 'ü\n'];
  const { stdout } = await execute(endpoint, ['printf', '%s|', ...words]);
  t.is(`${stdout}`, `${words.join('|')}|`);
});

test('a program that does not exist is 127, and says which', async (t) => {
  const { code, stderr } = await execute(endpoint, ['no-such-program']);
  t.is(code, 127);
  t.regex(`${stderr}`, /no-such-program/);
});

test('standard input of any size reaches the command, which sees its end', async (t) => {
  for (const size of [0, 1, 70_000, 5_000_000]) {
    const { stdout } = await execute(endpoint, ['wc', '-c'], { input: Buffer.alloc(size, 1) });
    t.is(Number(`${stdout}`), size);
  }
});

test('a command may leave its input unread', async (t) => {
  const { code } = await execute(endpoint, ['true'], { input: Buffer.alloc(5_000_000) });
  t.is(code, 0);
});

test('outputs are cut at their bound, and the end says so', async (t) => {
  const { code, stdout, truncated } = await execute(endpoint, sh('yes | head -c 1000000'), {
    outputMax: 1000,
  });
  t.is(code, 0);
  t.is(stdout.length, 1000);
  t.true(truncated);
});

test('large outputs arrive whole', async (t) => {
  const { stdout } = await execute(endpoint, sh('yes | head -c 8000000'), { outputMax: 2 ** 24 });
  t.is(stdout.length, 8_000_000);
});

test('a command that takes too long is killed with all that it started', async (t) => {
  const mark = `7${process.pid}`;
  const { code, timedOut } = await execute(endpoint, sh(`sleep ${mark} & sleep ${mark}`), {
    timeout: 500,
  });
  t.true(timedOut);
  t.is(code, 137);
  t.is((await execute(endpoint, ['pgrep', '-xf', `sleep ${mark}`])).code, 1);
});

test('a command ends although something that it started runs on', async (t) => {
  const { code, stdout } = await execute(endpoint, sh('sleep 60 & echo $!'));
  t.is(code, 0);
  t.is((await execute(endpoint, ['kill', `${stdout}`.trim()])).code, 0);
});

test('a connection that closes takes its command with it', async (t) => {
  const mark = `8${process.pid}`;
  const session = attach(
    endpoint,
    ['sleep', mark],
    { rows: 24, columns: 80 },
    {
      output: () => undefined,
      end: () => undefined,
    },
  );
  const running = async (): Promise<boolean> =>
    (await execute(endpoint, ['pgrep', '-xf', `sleep ${mark}`])).code === 0;
  while (!(await running())) await sleep(50);
  session.close();
  while (await running()) await sleep(50);
  t.pass();
});

test('a session has a terminal of the size that was asked for', async (t) => {
  let said = '';
  const over = Promise.withResolvers<void>();
  const session = attach(
    endpoint,
    ['sh'],
    { rows: 33, columns: 77 },
    {
      output: (chunk) => {
        said += chunk;
      },
      end: over.resolve,
    },
  );
  session.write(Buffer.from('stty size; exit\n'));
  await over.promise;
  t.regex(said, /33 77/);
});

test('who does not know the token, or speaks otherwise, is turned away', async (t) => {
  await t.throwsAsync(execute({ ...endpoint, token: 'guess' }, ['true']), {
    instanceOf: AgentUnreachable,
  });
  for (const line of ['GET / HTTP/1.1\r\n', '{"token":5}\n', 'x'.repeat(300_000), '\n']) {
    const socket = connect(endpoint.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.write(line);
    await closed;
  }
  t.is((await execute(endpoint, ['true'])).code, 0);
});

test('many commands run side by side', async (t) => {
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, index) => execute(endpoint, sh(`sleep 0.2; echo ${index}`))),
  );
  t.deepEqual(
    results.map(({ stdout }) => Number(`${stdout}`)),
    results.map((_, index) => index),
  );
});

test('no agent at all is said to be unreachable', async (t) => {
  const port = await freeTcpPort();
  await t.throwsAsync(execute({ port, token: '' }, ['true']), { instanceOf: AgentUnreachable });
});
