import test from 'ava';
import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { bytesOf, textOf } from '../core/payload.ts';
import { type MessageName, messageName, messageTypes, type Packet } from '../core/wire.ts';
import { XenstoreClient } from './client.ts';
import type { ClientFailure } from './failure.ts';
import type { LinkListener, Transport } from './link.ts';
import type { ClientOptions } from './options.ts';

/** A server that replies by hand. */
class Scripted implements Transport {
  readonly sent: { readonly name: MessageName | undefined; readonly packet: Packet }[] = [];
  links = 0;
  reachable = true;
  /** Replies to what is sent at once; null: it is left without. */
  answer: (name: MessageName | undefined, packet: Packet) => string | null = () => 'OK\0';
  #listener: LinkListener | null = null;

  async connect(listener: LinkListener) {
    if (!this.reachable) return fail('nobody is there');
    this.links += 1;
    this.#listener = listener;
    return ok({
      payloadMax: 4096,
      send: (packet: Packet) => {
        const name = messageName(packet.type);
        this.sent.push({ name, packet });
        const text = this.answer(name, packet);
        if (text !== null) this.reply(packet, text);
      },
      close: () => {
        this.#listener = null;
      },
    });
  }

  reply(packet: Packet, text: string, type = packet.type): void {
    this.#listener?.packet({ ...packet, type, payload: bytesOf(text) });
  }

  event(path: string, token: string): void {
    const packet = { type: messageTypes.WATCH_EVENT, requestId: 0, transactionId: 0 };
    this.#listener?.packet({ ...packet, payload: bytesOf(`${path}\0${token}\0`) });
  }

  cut(): void {
    const listener = this.#listener;
    this.#listener = null;
    listener?.closed('cut');
  }

  names(): readonly (MessageName | undefined)[] {
    return this.sent.map(({ name }) => name);
  }
}

async function opened(server: Transport, options: Partial<ClientOptions> = {}) {
  const client = await XenstoreClient.open(server, { random: () => 0, ...options });
  if (!client.ok) throw new Error(client.error.message);
  return client.value;
}

function codeOf(result: Result<unknown, ClientFailure>): string {
  return result.ok ? 'succeeded' : result.error.code;
}

test('replies find their requests in any order', async (t) => {
  const server = new Scripted();
  server.answer = () => null;
  const client = await opened(server);
  const reads = ['/a', '/b', '/c'].map((path) => client.readText(path));
  for (const { packet } of [...server.sent].reverse())
    server.reply(packet, `value of ${textOf(packet.payload).slice(0, -1)}`);
  t.deepEqual(
    await Promise.all(reads),
    ['/a', '/b', '/c'].map((path) => ok(`value of ${path}`)),
  );
});

test('a request without a reply fails in time, and its reply is nobody else’s', async (t) => {
  const server = new Scripted();
  server.answer = () => null;
  const client = await opened(server, { timeout: milliseconds(5), inFlightMax: 1 });
  t.is(codeOf(await client.read('/a')), 'TIMEOUT');
  // Its place is still taken.
  t.is(codeOf(await client.read('/b')), 'TIMEOUT');
  t.is(server.sent.length, 1);
  const [first] = server.sent;
  if (first !== undefined) server.reply(first.packet, 'late');
  server.answer = () => 'new';
  t.deepEqual(await client.readText('/c'), ok('new'));
});

test('a transaction that starts too late for its caller is ended', async (t) => {
  const server = new Scripted();
  server.answer = () => null;
  const client = await opened(server, { timeout: milliseconds(5) });
  t.is(codeOf(await client.transaction(async () => ok(1))), 'TIMEOUT');
  const [start] = server.sent;
  if (start !== undefined) server.reply(start.packet, '17\0');
  t.is(server.sent[1]?.name, 'TRANSACTION_END');
  t.is(server.sent[1]?.packet.transactionId, 17);
  t.is(textOf(server.sent[1]?.packet.payload ?? new Uint8Array(0)), 'F\0');
  client.close();
});

test('a watch that is set too late for its caller is ended', async (t) => {
  const server = new Scripted();
  server.answer = () => null;
  const client = await opened(server, { timeout: milliseconds(5) });
  t.is(codeOf(await client.watch('/a')), 'TIMEOUT');
  const [set] = server.sent;
  if (set !== undefined) server.reply(set.packet, 'OK\0');
  t.deepEqual(server.names(), ['WATCH', 'UNWATCH']);
  client.close();
});

test('errors are known by their names, and a name that is not one is said', async (t) => {
  const server = new Scripted();
  server.answer = () => null;
  const client = await opened(server);
  for (const [name, code] of [
    ['EROFS', 'EROFS'],
    ['EPROTO', 'PROTOCOL'],
    ['toString', 'PROTOCOL'],
  ] as const) {
    const read = client.read('/a');
    const last = server.sent.at(-1);
    if (last !== undefined) server.reply(last.packet, `${name}\0`, messageTypes.ERROR);
    t.is(codeOf(await read), code);
  }
});

test('a reply to nothing, or of another type, ends the connection', async (t) => {
  for (const wrong of [{ requestId: 999 }, { type: messageTypes.MKDIR }]) {
    const server = new Scripted();
    server.answer = (_, packet) => {
      server.reply({ ...packet, ...wrong }, 'OK\0');
      return null;
    };
    const client = await opened(server);
    const read = await client.read('/a');
    t.is(codeOf(read), 'DISCONNECTED');
    t.regex(read.ok ? '' : read.error.message, /the server sent a reply/);
  }
});

test('a connection that is lost fails what waits, and ends the watches', async (t) => {
  const server = new Scripted();
  const client = await opened(server);
  const watch = await client.watch('/a');
  server.answer = () => null;
  const read = client.read('/a');
  server.cut();
  t.is(codeOf(await read), 'DISCONNECTED');
  const event = watch.ok ? await watch.value.next() : undefined;
  t.is(event?.value?.kind, 'ended');
  t.is(codeOf(await client.read('/a')), 'DISCONNECTED');
});

test('a client that reconnects sets its watches again, and says what may be missed', async (t) => {
  const server = new Scripted();
  const client = await opened(server, { reconnectAttempts: 5 });
  const watch = await client.watch('/a', { depth: 2 });
  if (!watch.ok) throw new Error(watch.error.message);
  server.event('/a', 'w1');
  t.deepEqual(await watch.value.next(), { done: false, value: { kind: 'changed', path: '/a' } });
  server.cut();
  t.is(codeOf(await client.read('/a')), 'DISCONNECTED');
  t.deepEqual(await watch.value.next(), { done: false, value: { kind: 'missed' } });
  t.is(server.links, 2);
  t.deepEqual(server.names(), ['WATCH', 'WATCH']);
  t.is(textOf(server.sent[1]?.packet.payload ?? new Uint8Array(0)), '/a\0w1\x002\0');
  server.event('/a/b', 'w1');
  t.deepEqual(await watch.value.next(), { done: false, value: { kind: 'changed', path: '/a/b' } });
  client.close();
});

test('a transaction of a connection that is lost does not go on in the next one', async (t) => {
  const server = new Scripted();
  server.answer = (name) => (name === 'TRANSACTION_START' ? '7\0' : 'OK\0');
  const client = await opened(server, { reconnectAttempts: 5 });
  const outcome = await client.transaction(async (transaction) => {
    server.cut();
    while (server.links < 2) await new Promise((resolve) => setImmediate(resolve));
    return transaction.write('/a', 'x');
  });
  t.is(codeOf(outcome), 'DISCONNECTED');
  t.deepEqual(server.names(), ['TRANSACTION_START']);
  client.close();
});

test('after its attempts a client gives up, and its watches end', async (t) => {
  const server = new Scripted();
  const client = await opened(server, { reconnectAttempts: 2 });
  const watch = await client.watch('/a');
  server.reachable = false;
  server.cut();
  const event = watch.ok ? await watch.value.next() : undefined;
  t.is(event?.value?.kind === 'ended' && event.value.failure.code, 'DISCONNECTED');
});

test('a list that changes while it is read in parts is read again, and not forever', async (t) => {
  const server = new Scripted();
  const parts = ['1\0a\0b\0', '2\0c\0\0', '2\0a\0', '2\0c\0\0'];
  const client = await opened(server);
  server.answer = (name, packet) => {
    if (name === 'DIRECTORY_PART') return parts.shift() ?? '';
    server.reply(packet, 'E2BIG\0', messageTypes.ERROR);
    return null;
  };
  t.deepEqual(await client.list('/a'), ok(['a', 'c']));
  t.is(codeOf(await client.list('/a')), 'PROTOCOL');
  let generation = 0;
  const changing = server.answer;
  server.answer = (name, packet) => {
    generation += 1;
    return name === 'DIRECTORY_PART' ? `${generation}\0a\0` : changing(name, packet);
  };
  t.is(codeOf(await client.list('/a')), 'EAGAIN');
});
