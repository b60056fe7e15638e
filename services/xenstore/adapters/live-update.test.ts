import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { milliseconds } from '../../../base/units.ts';
import { unixSocket, XenstoreClient } from '../client/index.ts';

/** Live updates of the real program, whose clients must not be able to tell. */

const program = resolve(import.meta.dirname, '../../../main.ts');
const run = promisify(execFile);

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 1200; round += 1) {
    if (await holds()) return;
    await delay(100);
  }
  throw new Error(`in two minutes there was no ${what}`);
}

/** Patience for a machine that is busy with other tests. */
const patient = { timeout: milliseconds(120_000) };

async function clientOf(socket: string): Promise<XenstoreClient> {
  const opened = await XenstoreClient.open(unixSocket(socket), patient);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

/** A xenstored in a process of its own. */
async function serving(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const socket = join(directory, 'socket');
  const data = join(directory, 'data');
  const words = ['xenstored', '--socket', socket, '--data-dir', data, '--no-rings'];
  let said = '';
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [program, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => {
        said += text.toString();
      });
    await until('socket', async () => {
      const opened = await XenstoreClient.open(unixSocket(socket));
      if (opened.ok) opened.value.close();
      return opened.ok;
    });
    return child;
  };
  let child = await start();
  t.teardown(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    socket,
    directory,
    data,
    said: () => said,
    pid: () => child.pid,
    kill: async () => {
      child.kill('SIGKILL');
      await new Promise((resolved) => child.once('exit', resolved));
      child = await start();
    },
  };
}

async function updated(client: XenstoreClient): Promise<string> {
  const answer = await client.control('live-update', '-s', '-t', '120');
  return answer.ok ? answer.value : answer.error.message;
}

test.serial(
  '[X71] clients under load notice nothing of a live update: no error, no lost event',
  async (t) => {
    const { socket, pid, said } = await serving(t);
    const before = pid();
    const operator = await clientOf(socket);
    const clients = await Promise.all([clientOf(socket), clientOf(socket), clientOf(socket)]);
    const [watcher] = clients;
    const heard = new Set<string>();
    const watch = await watcher?.watch('/load');
    if (watch?.ok !== true) throw new Error('no watch');
    const listening = (async () => {
      for await (const event of watch.value) if (event.kind === 'changed') heard.add(event.path);
    })();
    let going = true;
    const written: string[] = [];
    const load = clients.map(async (client, index) => {
      for (let round = 0; going; round += 1) {
        const path = `/load/${index}/${round}`;
        const wrote = await client.write(path, 'x'.repeat(round % 500));
        if (!wrote.ok) throw new Error(`${path}: ${wrote.error.message}`);
        written.push(path);
        const read = await client.read(path);
        if (!read.ok || read.value.length !== round % 500) throw new Error(`${path} is another`);
      }
    });
    for (let round = 0; round < 3; round += 1) {
      const count = written.length;
      t.is(await updated(operator), 'OK', said());
      await until('load', () => written.length > count + 50);
    }
    going = false;
    await Promise.all(load);
    await until('event', () => written.every((path) => heard.has(path)));
    t.is(pid(), before);
    await until('log', () => said().match(/becoming another program/g)?.length === 3);
    for (const client of [operator, ...clients]) client.close();
    await listening;
  },
);

test.serial(
  '[X71] an open transaction goes on after a live update, and is not isolated less',
  async (t) => {
    const { socket } = await serving(t);
    const [operator, client] = [await clientOf(socket), await clientOf(socket)];
    await operator.write('/a', '1');
    let attempts = 0;
    const outcome = await client.transaction(async (transaction) => {
      attempts += 1;
      const read = await transaction.read('/a');
      await transaction.write('/b', 'inside');
      if (attempts === 1) {
        t.is(await updated(operator), 'OK');
        await operator.write('/a', '2');
      }
      const again = await transaction.read('/a');
      t.deepEqual(again, read);
      return read;
    });
    t.is(attempts, 2);
    t.is(outcome.ok && Buffer.from(outcome.value).toString(), '2');
    const inside = await operator.read('/b');
    t.is(inside.ok && Buffer.from(inside.value).toString(), 'inside');
    operator.close();
    client.close();
  },
);

/** A request as bytes: WRITE of a path and a value. */
function writeOf(path: string, value: string): Buffer {
  const payload = Buffer.from(`${path}\0${value}`);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(11, 0);
  header.writeUInt32LE(payload.length, 12);
  return Buffer.concat([header, payload]);
}

test.serial(
  '[X71] a client goes on in the middle of a request, and with replies that it has not read',
  async (t) => {
    const { socket } = await serving(t);
    const operator = await clientOf(socket);
    const half = connect(socket);
    const whole = writeOf('/half', 'and half');
    half.write(whole.subarray(0, 21));
    // A client that reads nothing, with more replies on their way than the system keeps for it.
    const slow = connect(socket);
    slow.pause();
    const length = 4000;
    await operator.write('/long', 'x'.repeat(length));
    const read = Buffer.concat([Buffer.alloc(16), Buffer.from('/long\0')]);
    read.writeUInt32LE(2, 0);
    read.writeUInt32LE(6, 12);
    const asked = 200;
    slow.write(Buffer.concat(Array.from({ length: asked }, () => read)));
    await delay(500);
    t.is(await updated(operator), 'OK');
    half.write(whole.subarray(21));
    await new Promise((resolved) => half.once('data', resolved));
    const written = await operator.read('/half');
    t.is(written.ok && Buffer.from(written.value).toString(), 'and half');
    const received: Buffer[] = [];
    slow.on('data', (data: Buffer) => received.push(data));
    slow.resume();
    const bytes = () => received.reduce((sum, each) => sum + each.length, 0);
    await until('reply', () => bytes() >= asked * (16 + length));
    const all = Buffer.concat(received);
    t.is(all.length, asked * (16 + length));
    for (let at = 0; at < all.length; at += 16 + length) {
      t.is(all.readUInt32LE(at), 2);
      t.is(all.readUInt32LE(at + 12), length);
    }
    for (const each of [half, slow]) each.destroy();
    operator.close();
  },
);

test.serial(
  '[X71] a program that cannot go on with the state is refused, and nothing has happened',
  async (t) => {
    const { socket, directory, pid } = await serving(t);
    const before = pid();
    const operator = await clientOf(socket);
    await operator.write('/a', '1');
    const other = join(directory, 'other.mjs');
    writeFileSync(other, "process.stderr.write('I know nothing of this\\n'); process.exit(1);");
    const said = async (...words: string[]) => {
      const answer = await operator.control('live-update', ...words);
      return answer.ok ? answer.value : answer.error.message;
    };
    t.is(await said('-f', join(directory, 'none.mjs')), 'File not accessible.');
    t.is(await said('-f', other), 'OK');
    t.regex(await said('-s'), /other\.mjs cannot go on with the state: I know nothing of this/);
    t.is(await said('-a'), 'OK');
    t.is(await said('-s', '-t', '120'), 'OK');
    t.is(pid(), before);
    const read = await operator.read('/a');
    t.is(read.ok && Buffer.from(read.value).toString(), '1');
    operator.close();
  },
);

test.serial(
  '[X71] flotilla xenstored --live-update asks for it; a kill afterwards loses nothing',
  async (t) => {
    const { socket, data, kill } = await serving(t);
    const client = await clientOf(socket);
    await client.write('/a', '1');
    await run(process.execPath, [program, 'xenstored', '--socket', socket, '--live-update']);
    await client.write('/b', '2');
    client.close();
    await kill();
    const after = await clientOf(socket);
    const read = await Promise.all([after.read('/a'), after.read('/b')]);
    t.deepEqual(
      read.map((each) => each.ok && Buffer.from(each.value).toString()),
      ['1', '2'],
    );
    t.true(readdirSync(data).some((name) => name.startsWith('snapshot.')));
    after.close();
  },
);
