import { once } from 'node:events';
import { createServer as createHttp2, createSecureServer } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import test from 'ava';
import { milliseconds } from '../../../../base/units.ts';
import { TestAuthority } from '../../../../test/fixtures/test-authority.ts';
import { probePort, probePorts } from './probe.ts';

/** What is silent is waited for this long: as short as it may be, for nothing comes. */
const brief = { connect: milliseconds(300), answer: milliseconds(300) };

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('a server of plain HTTP/2, which gRPC is, answers', async (t) => {
  const server = createHttp2();
  const port = await listening(server);
  t.is(await probePort('127.0.0.1', port), 'answered');
  server.close();
});

test('a server that wants to know who calls answers before it asks', async (t) => {
  const { ca, certificate, key } = await (await TestAuthority.make()).identity('server');
  const server = createSecureServer({ ca, cert: certificate, key, requestCert: true });
  const port = await listening(server);
  t.is(await probePort('127.0.0.1', port), 'answered');
  server.close();
});

test('a program that takes connections and says nothing is silent', async (t) => {
  const server = createServer();
  const port = await listening(server);
  t.is(await probePort('127.0.0.1', port, brief), 'silent');
  server.close();
});

test('a port on which nobody listens is refused by its kernel', async (t) => {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  t.is(await probePort('127.0.0.1', port), 'unserved');
});

test('a program that hangs up without a word does not serve', async (t) => {
  const server = createServer((socket) => socket.destroy());
  const port = await listening(server);
  t.is(await probePort('127.0.0.1', port), 'unserved');
  server.close();
});

test('of several ports the worst counts', async (t) => {
  const [good, bad] = [createHttp2(), createServer((socket) => socket.destroy())];
  const ports = [await listening(good), await listening(bad)];
  t.is(await probePorts('127.0.0.1', ports), 'unserved');
  t.is(await probePorts('127.0.0.1', ports.slice(0, 1)), 'answered');
  t.is(await probePorts('127.0.0.1', []), 'answered');
  good.close();
  bad.close();
});
