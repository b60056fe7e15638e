import { Server as TlsServer } from 'node:tls';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { type ConnectionBounds, clientBounds, guardConnections } from '../connections/guard.ts';
import { listening } from '../connections/listening.ts';
import { type OnRefused, tellRefusals } from '../tls/refused-handshakes.ts';

/** How long calls that are under way have to end, before they are cut off. */
const closeGrace = milliseconds(2000);

/**
 * Makes a server listen, its connections within bounds. Returns HOST:PORT with the port that it
 * really has, or a sentence. `onRefused` is told of connections whose certificates are refused,
 * `onCall` of every call that begins.
 */
export async function bindServer(
  server: Server,
  address: string,
  credentials: ServerCredentials,
  bounds: ConnectionBounds = clientBounds,
  onRefused: OnRefused = () => {},
  onCall: () => void = () => {},
): Promise<Result<string, string>> {
  const portOf = (bound: Result<string, string>) =>
    bound.ok ? Number(bound.value.slice(bound.value.lastIndexOf(':') + 1)) : null;
  const { bound, servers } = await listening(() => listen(server, address, credentials), portOf);
  for (const each of servers) {
    guardConnections(each, bounds);
    each.on('stream', onCall);
    if (each instanceof TlsServer) tellRefusals(each, onRefused);
  }
  return bound;
}

function listen(
  server: Server,
  address: string,
  credentials: ServerCredentials,
): Promise<Result<string, string>> {
  return new Promise((resolve) => {
    server.bindAsync(address, credentials, (error, port) => {
      const host = address.slice(0, address.lastIndexOf(':'));
      if (error === null) resolve(ok(`${host}:${port}`));
      else resolve(fail(`cannot listen on ${address}: ${error.message}`));
    });
  });
}

/** Stops listening, and resolves when the calls that were under way have ended or were cut off. */
export function shutDownServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), closeGrace);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
