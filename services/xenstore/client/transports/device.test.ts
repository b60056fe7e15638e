import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { ok } from '../../../../base/result.ts';
import { bytesOf, textOf } from '../../core/payload.ts';
import { encodePacket, messageTypes, type Packet, parsePacket } from '../../core/wire.ts';
import { XenstoreClient } from '../client.ts';
import { characterDevice, type DeviceFile, openDevice } from './device.ts';

/** A device that behaves as Linux's does: a packet a write, replies of its own to watches. */
class Kernel implements DeviceFile {
  readonly written: Packet[] = [];
  closed = false;
  /** Whether what is written is replied to. */
  answering = true;
  /** What a write fails with. */
  errno: string | null = null;
  #unread: Uint8Array[] = [];
  #reader: ((result: { bytesRead: number }) => void) | null = null;
  #buffer: Uint8Array = new Uint8Array(0);

  async write(bytes: Uint8Array): Promise<void> {
    if (this.errno !== null)
      throw Object.assign(new Error(`${this.errno}: write`), { code: this.errno });
    const parsed = parsePacket(bytes);
    if (!parsed.ok || parsed.value.kind !== 'packet' || parsed.value.used !== bytes.length)
      throw new Error('a write is not one packet');
    const { packet } = parsed.value;
    this.written.push(packet);
    if (this.answering) this.answer(packet);
  }

  answer(packet: Packet): void {
    const synthesized = packet.type === messageTypes.WATCH || packet.type === messageTypes.UNWATCH;
    this.give({
      ...packet,
      requestId: synthesized ? 0 : packet.requestId,
      payload: bytesOf(synthesized ? 'OK\0' : 'value'),
    });
  }

  read(buffer: Uint8Array): Promise<{ readonly bytesRead: number }> {
    return new Promise((resolve) => {
      this.#buffer = buffer;
      this.#reader = resolve;
      this.#deliver();
    });
  }

  writeNow(): void {
    throw new Error('no process ends here');
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  give(packet: Packet): void {
    this.#unread.push(encodePacket(packet));
    this.#deliver();
  }

  #deliver(): void {
    const next = this.#unread[0];
    const reader = this.#reader;
    if (next === undefined || reader === null) return;
    this.#unread = this.#unread.slice(1);
    this.#reader = null;
    this.#buffer.set(next);
    reader({ bytesRead: next.length });
  }
}

async function opened(kernel: Kernel): Promise<XenstoreClient> {
  const transport = characterDevice('/dev/xen/xenbus', async () => kernel);
  const client = await XenstoreClient.open(transport);
  if (!client.ok) throw new Error(client.error.message);
  return client.value;
}

test('each request is a write of its own, and at most what Linux takes at once', async (t) => {
  const kernel = new Kernel();
  const client = await opened(kernel);
  const reads = await Promise.all([client.readText('a'), client.readText('b')]);
  t.deepEqual(reads, [ok('value'), ok('value')]);
  t.deepEqual(
    kernel.written.map(({ payload }) => textOf(payload)),
    ['a\0', 'b\0'],
  );
  const long = await client.write('a', new Uint8Array(4079));
  t.is(long.ok ? '' : long.error.code, 'E2BIG');
  t.true((await client.write('a', new Uint8Array(4078))).ok);
  client.close();
});

test('a request leaves when the one before it has its reply: Linux keeps but one payload', async (t) => {
  const kernel = new Kernel();
  kernel.answering = false;
  const client = await opened(kernel);
  const reads = Promise.all(['a', 'b', 'c'].map((path) => client.readText(path)));
  for (let count = 1; count <= 3; count += 1) {
    await new Promise(setImmediate);
    t.is(kernel.written.length, count);
    kernel.give({
      type: messageTypes.WATCH_EVENT,
      requestId: 0,
      transactionId: 0,
      payload: bytesOf('a\0w9\0'),
    });
    await new Promise(setImmediate);
    t.is(kernel.written.length, count, 'an event is no reply');
    const last = kernel.written.at(-1);
    if (last !== undefined) kernel.answer(last);
  }
  t.deepEqual(await reads, [ok('value'), ok('value'), ok('value')]);
  client.close();
});

test('a client that is closed while a reply is awaited writes nothing into its request', async (t) => {
  const kernel = new Kernel();
  kernel.answering = false;
  const client = await opened(kernel);
  const read = client.read('a');
  await new Promise(setImmediate);
  client.close();
  t.false((await read).ok);
  await new Promise(setImmediate);
  t.is(kernel.written.length, 1);
  const [only] = kernel.written;
  if (only !== undefined) kernel.answer(only);
  while (!kernel.closed) await new Promise(setImmediate);
  t.is(kernel.written.length, 1);
});

test('replies that Linux makes itself carry no id, and are taken in order', async (t) => {
  const client = await opened(new Kernel());
  const [first, second] = await Promise.all([client.watch('a'), client.watch('b')]);
  t.true(first.ok && second.ok);
  if (first.ok) t.true((await first.value.unsubscribe()).ok);
  client.close();
});

test('a write that is refused by an error of xenstore fails that request alone', async (t) => {
  const kernel = new Kernel();
  const client = await opened(kernel);
  kernel.errno = 'EEXIST';
  const watch = await client.watch('a');
  t.is(watch.ok ? '' : watch.error.code, 'EEXIST');
  kernel.errno = null;
  t.true((await client.read('a')).ok);
  kernel.errno = 'ENODEV';
  const read = await client.read('a');
  t.is(read.ok ? '' : read.error.code, 'DISCONNECTED');
});

test('a device that is not there is named', async (t) => {
  const client = await XenstoreClient.open(characterDevice('/nonexistent/xenbus'));
  t.regex(client.ok ? '' : client.error.message, /cannot open \/nonexistent\/xenbus/);
});

test('closing ends a read that is blocked in the system', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenbus-'));
  const path = join(directory, 'device');
  await promisify(execFile)('mkfifo', [path]);
  // A FIFO that is open for both gives back what is written: a reply of the same type and id.
  let closed: () => void = () => undefined;
  const whenClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const transport = characterDevice(path, async (name) => {
    const file = await openDevice(name);
    return {
      ...file,
      close: async () => {
        await file.close();
        closed();
      },
    };
  });
  const client = await XenstoreClient.open(transport);
  if (!client.ok) throw new Error(client.error.message);
  t.deepEqual(await client.value.readText('/a'), ok('/a\0'));
  client.value.close();
  await whenClosed;
  rmSync(directory, { recursive: true });
});

test('a process that exits does not wait for what the device might bring', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenbus-'));
  const path = join(directory, 'device');
  const run = promisify(execFile);
  await run('mkfifo', [path]);
  const program = `
    import { XenstoreClient } from '${new URL('../client.ts', import.meta.url)}';
    import { characterDevice } from '${new URL('./device.ts', import.meta.url)}';
    await XenstoreClient.open(characterDevice('${path}'));
    setImmediate(() => process.exit(0));`;
  await run(process.execPath, ['--input-type=module', '--eval', program], { timeout: 60_000 });
  rmSync(directory, { recursive: true });
  t.pass();
});
