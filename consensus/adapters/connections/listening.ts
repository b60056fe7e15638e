import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';

/** Node's channel that tells of each server that is about to listen. */
const channel = 'tracing:net.server.listen:asyncStart';

/**
 * The server that `bind` makes listen, and what `bind` resolved to. grpc-js keeps its servers to
 * itself; Node tells which ones begin to listen meanwhile. `portOf` is the port of the one that is
 * meant, null where `bind` failed.
 */
export async function listening<Bound>(
  bind: () => Promise<Bound>,
  portOf: (bound: Bound) => number | null,
): Promise<{ readonly bound: Bound; readonly servers: readonly Server[] }> {
  const servers = new Set<Server>();
  const note = (message: unknown) => {
    const tells = typeof message === 'object' && message !== null && 'server' in message;
    if (tells && message.server instanceof Server) servers.add(message.server);
  };
  subscribe(channel, note);
  const bound = await bind();
  unsubscribe(channel, note);
  const port = portOf(bound);
  return { bound, servers: [...servers].filter((server) => listensOn(server, port)) };
}

function listensOn(server: Server, port: number | null): boolean {
  const address = server.address();
  return typeof address === 'object' && address !== null && address.port === port;
}
