import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import { milliseconds } from '../../../base/units.ts';

/** Told of a connection that ended before TLS was agreed on: why, and with whom if that is known. */
export type OnRefused = (reason: string, address: string) => void;

/** Node's channel that tells of each server that is about to listen. */
const listening = 'tracing:net.server.listen:asyncStart';

/** Refusals of one kind and address are told once in this time: who floods fills no log. */
const quietTime = milliseconds(10_000);

/** Kinds and addresses that are remembered at a time. */
const rememberedMax = 1000;

/**
 * Has refused TLS handshakes told of the server that `bind` makes listen. grpc-js keeps the server
 * to itself, and says nothing of certificates that are expired or of another CA; Node tells which
 * servers begin to listen meanwhile. `portOf` is the port of the one that is meant, or null.
 */
export async function tellingRefusals<Bound>(
  bind: () => Promise<Bound>,
  portOf: (bound: Bound) => number | null,
  onRefused: OnRefused,
): Promise<Bound> {
  const servers = new Set<TlsServer>();
  const note = (message: unknown) => {
    const isTls = typeof message === 'object' && message !== null && 'server' in message;
    if (isTls && message.server instanceof TlsServer) servers.add(message.server);
  };
  subscribe(listening, note);
  const bound = await bind();
  unsubscribe(listening, note);
  const port = portOf(bound);
  for (const server of servers)
    if (port !== null && listensOn(server, port)) tell(server, onRefused);
  return bound;
}

function listensOn(server: TlsServer, port: number): boolean {
  const address = server.address();
  return typeof address === 'object' && address !== null && address.port === port;
}

function tell(server: TlsServer, onRefused: OnRefused): void {
  const told = new Map<string, number>();
  // The address of a socket can be asked for afterwards only if it was asked for while it was open.
  server.prependListener('connection', (socket: Socket) => void socket.remoteAddress);
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const why = reasonOf(error, socket);
    const address = addressOf(socket);
    const now = performance.now();
    const last = told.get(`${why} ${address}`);
    if (last !== undefined && now - last < quietTime) return;
    if (told.size >= rememberedMax) told.clear();
    told.set(`${why} ${address}`, now);
    onRefused(why, address);
  });
}

/** Codes of OpenSSL and of Node, which is what one can look for: `CERT_HAS_EXPIRED`. */
function reasonOf(error: NodeJS.ErrnoException, socket: TLSSocket): string {
  const refusal: unknown = socket.authorizationError;
  if (typeof refusal === 'string') return refusal;
  return error.code ?? error.message;
}

/** TLS is spoken over a socket that is closed first; the address is that one's. */
function addressOf(socket: TLSSocket): string {
  const below: unknown = Reflect.get(socket, '_parent');
  const address = below instanceof Socket ? below.remoteAddress : undefined;
  return socket.remoteAddress ?? address ?? 'unknown';
}
