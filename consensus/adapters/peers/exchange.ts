import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  Metadata,
  type Server,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import { serviceDefinition } from '../../../proto/codec.ts';
import { PeerService } from '../../../proto/gen/flotilla.raft.v1.ts';
import type { Handlers } from '../../../proto/server.ts';
import { decodeFrame, type Frame } from './read-frame.ts';

/**
 * The method by which members talk, as `raft.proto` declares it; its frames are written and read by
 * `write-frame.ts` and `read-frame.ts`, since they are what a busy member does most.
 */

/** The caller's side of a stream: it writes encoded frames, and gets the other's greeting. */
export type OutgoingStream = ClientDuplexStream<Buffer, Frame>;

/** The other side. */
export type IncomingStream = ServerDuplexStream<Frame, Buffer>;

const path = `/${PeerService.name}/Exchange`;

const asItIs = (bytes: Buffer): Buffer => bytes;

/** Opens a stream on a connection of its own, which `close` ends. */
export function openExchange(
  address: string,
  credentials: ChannelCredentials,
  options: ChannelOptions,
): { readonly stream: OutgoingStream; close(): void } {
  const client = new Client(address, credentials, options);
  const stream = client.makeBidiStreamRequest(path, asItIs, decodeFrame, new Metadata(), {});
  return { stream, close: () => client.close() };
}

/** Makes a server serve `PeerService`. */
export function serveExchange(
  server: Server,
  exchange: (stream: IncomingStream) => void,
  others: Omit<Handlers<PeerService>, 'exchange'>,
): void {
  const definition = serviceDefinition(PeerService);
  const method = {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: asItIs,
    requestDeserialize: decodeFrame,
    responseSerialize: asItIs,
    responseDeserialize: decodeFrame,
  };
  const handlers = { ...others, exchange } as Parameters<Server['addService']>[1];
  server.addService({ ...definition, exchange: method }, handlers);
}
