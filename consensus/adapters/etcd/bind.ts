import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { type OnRefused, tellingRefusals } from '../tls/refused-handshakes.ts';

/** How long calls that are under way have to end, before they are cut off. */
const closeGrace = milliseconds(2000);

/**
 * Makes a server listen. Returns HOST:PORT with the port that it really has, or a sentence.
 * `onRefused` is told of connections whose certificates are refused.
 */
export function bindServer(
  server: Server,
  address: string,
  credentials: ServerCredentials,
  onRefused: OnRefused = () => {},
): Promise<Result<string, string>> {
  const portOf = (bound: Result<string, string>) =>
    bound.ok ? Number(bound.value.slice(bound.value.lastIndexOf(':') + 1)) : null;
  return tellingRefusals(() => listen(server, address, credentials), portOf, onRefused);
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
