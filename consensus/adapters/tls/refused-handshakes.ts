import { Socket } from 'node:net';
import type { TLSSocket, Server as TlsServer } from 'node:tls';
import { milliseconds } from '../../../base/units.ts';
import { Repeats } from '../repeats.ts';

/** Told of a connection that ended before TLS was agreed on: why, and with whom if that is known. */
export type OnRefused = (reason: string, address: string) => void;

/** Refusals of one kind and address are told once in this time: who floods fills no log. */
const quietTime = milliseconds(10_000);

/**
 * Tells of a server's refused TLS handshakes: grpc-js says nothing of certificates that are expired
 * or of another CA.
 */
export function tellRefusals(server: TlsServer, onRefused: OnRefused): void {
  const repeats = new Repeats(quietTime);
  // The address of a socket can be asked for afterwards only if it was asked for while it was open.
  server.prependListener('connection', (socket: Socket) => void socket.remoteAddress);
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const why = reasonOf(error, socket);
    const address = addressOf(socket);
    if (repeats.isNews(`${why} ${address}`)) onRefused(why, address);
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
