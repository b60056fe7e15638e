import { type EventEmitter, once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { bytes, milliseconds } from '../../../base/units.ts';
import { type ConnectionBounds, clientBounds, guardConnections } from './guard.ts';

/** Serves all calls but `/silent` at once, `/large` with much; returns the port. */
async function serve(t: ExecutionContext, bounds: Partial<ConnectionBounds>): Promise<number> {
  // grpc-js does not bound the memory of a session either.
  const server: Http2Server = createServer({ maxSessionMemory: Number.MAX_SAFE_INTEGER });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    stream.on('data', () => {});
    const path = headers[constants.HTTP2_HEADER_PATH];
    if (stream.closed || path === '/silent') return;
    stream.respond();
    if (path === '/large') stream.end(Buffer.alloc(16 * 2 ** 20));
  });
  server.on('sessionError', () => {});
  guardConnections(server, { ...clientBounds, ...bounds });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

function open(t: ExecutionContext, port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  t.teardown(() => session.destroy());
  return session;
}

function call(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const stream = session.request({ ':path': path, ':method': 'POST' }, { endStream: false });
  stream.on('error', () => {});
  return stream;
}

/** The end of a session, a stream or a socket, however it ended. */
function closed(emitter: EventEmitter): Promise<unknown> {
  return new Promise((resolve) => {
    emitter.once('close', resolve);
  });
}

test.serial('connections above the bound are closed', async (t) => {
  const port = await serve(t, { connections: 1 });
  const first = open(t, port);
  await once(first, 'remoteSettings');
  const second = open(t, port);
  await closed(second);
  t.false(first.closed);
});

test.serial('calls above the bound are refused, so that they may be tried again', async (t) => {
  const port = await serve(t, { streams: 2 });
  const session = open(t, port);
  const kept = [call(session, '/answered'), call(session, '/answered')];
  await Promise.all(kept.map((stream) => once(stream, 'response')));
  const refused = call(session, '/answered');
  await closed(refused);
  t.is(refused.rstCode, constants.NGHTTP2_REFUSED_STREAM);
  kept[0]?.close();
  await closed(kept[0] ?? refused);
  const next = call(session, '/answered');
  await once(next, 'response');
  t.pass();
});

test.serial('a connection that does not begin HTTP/2 is closed', async (t) => {
  const port = await serve(t, { beginTime: milliseconds(100) });
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => {}).resume();
  socket.write('PRI * HTTP');
  await closed(socket);
  t.pass();
});

test.serial(
  'a call that is not answered in its time is cancelled, and others are not',
  async (t) => {
    const port = await serve(t, { callTime: milliseconds(100) });
    const session = open(t, port);
    const answered = call(session, '/answered');
    await once(answered, 'response');
    const silent = call(session, '/silent');
    await closed(silent);
    t.is(silent.rstCode, constants.NGHTTP2_CANCEL);
    t.false(answered.closed);
  },
);

test.serial(
  'large answers that wait are cut off where they are too much, and not before',
  async (t) => {
    const port = await serve(t, { heldBytes: bytes(64 * 2 ** 20) });
    const session = open(t, port);
    const ended = closed(session);
    const wait = () => call(session, '/large').pause();
    for (let count = 0; count < 5; count += 1) wait();
    await delay(2200);
    t.false(session.destroyed, 'two looks later they wait yet');
    for (let count = 0; count < 6; count += 1) wait();
    await ended;
    t.pass();
  },
);

test.serial('while too much is held, the connections that hold most are ended', async (t) => {
  const port = await serve(t, { heldBytes: bytes(32 * 2 ** 20) });
  const held: Buffer[] = [];
  const quiet = open(t, port);
  const answered = call(quiet, '/answered');
  await once(answered, 'response');
  const greedy = open(t, port);
  const stream = call(greedy, '/silent');
  const ended = closed(greedy);
  // What a server collects of requests that are not whole, it holds.
  for (let count = 0; count < 40; count += 1) held.push(Buffer.alloc(2 ** 20));
  for (let count = 0; count < 80; count += 1) stream.write(Buffer.alloc(2 ** 20));
  await ended;
  t.true(held.length > 0);
  t.false(quiet.destroyed);
});
