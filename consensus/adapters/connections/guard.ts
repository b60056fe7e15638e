import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Server } from 'node:net';
import { type Bytes, bytes, type Milliseconds, milliseconds } from '../../../base/units.ts';

/**
 * What all connections of one port may take together. HTTP/2's own floods (resets, pings, settings,
 * headers, CONTINUATION) are bounded by nghttp2, within a connection.
 */
export interface ConnectionBounds {
  /** Connections at a time; more are closed at once. */
  readonly connections: number;
  /** Calls at a time; more are refused, so that the caller may try again. One costs some 16 KiB. */
  readonly streams: number;
  /** A connection must have begun HTTP/2 in this time. */
  readonly beginTime: Milliseconds;
  /** A call must have come in and be answered, or begin to be, in this time. */
  readonly callTime: Milliseconds;
  /**
   * Bytes that this process holds in buffers. Above, connections are ended that sent most since it
   * was calm: what is unfinished is theirs. Above twice as much, those as well that have most
   * answers to read: a large one is nobody's harm before.
   */
  readonly heldBytes: Bytes;
}

/** The port of clients: as many watchers as there may be, each with a stream of its own. */
export const clientBounds: ConnectionBounds = {
  connections: 4096,
  streams: 25_000,
  beginTime: milliseconds(10_000),
  // A request that reached the store is answered within 5 s, whatever happens.
  callTime: milliseconds(20_000),
  heldBytes: bytes(512 * 2 ** 20),
};

/** The port of members: one stream of each, and what a new one asks. */
export const peerBounds: ConnectionBounds = { ...clientBounds, connections: 256, streams: 1024 };

/** Connections that hold less than this part of what may be held are none of those that hold most. */
const shareMin = 1 / 64;

/** How often it is looked whether the bounds are kept. */
const lookInterval = milliseconds(1000);

interface Connection {
  readonly session: ServerHttp2Session;
  readonly since: number;
  /** Its open calls, oldest first, and when they began. */
  readonly streams: Map<ServerHttp2Stream, number>;
  begun: boolean;
  /** What it had sent when memory was last calm. */
  calmBytes: number;
}

/** Keeps the connections of an HTTP/2 server within bounds until the server is closed. */
export function guardConnections(server: Server, bounds: ConnectionBounds): void {
  const guard = new ConnectionGuard(bounds);
  server.maxConnections = bounds.connections;
  server.on('session', (session: ServerHttp2Session) => guard.joined(session));
  // Before grpc-js, which then finds a stream that is closed.
  server.prependListener('stream', (stream: ServerHttp2Stream) => guard.called(stream));
  const looking = setInterval(() => guard.look(), lookInterval);
  looking.unref();
  server.once('close', () => clearInterval(looking));
}

class ConnectionGuard {
  readonly #bounds: ConnectionBounds;
  readonly #connections = new Map<object, Connection>();
  #streams = 0;

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
  }

  joined(session: ServerHttp2Session): void {
    const since = performance.now();
    const streams = new Map<ServerHttp2Stream, number>();
    const connection = { session, since, streams, begun: false, calmBytes: 0 };
    this.#connections.set(session, connection);
    session.once('remoteSettings', () => {
      connection.begun = true;
    });
    session.once('close', () => this.#connections.delete(session));
  }

  called(stream: ServerHttp2Stream): void {
    if (this.#streams >= this.#bounds.streams) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const streams = this.#connections.get(stream.session ?? this)?.streams;
    if (streams === undefined) return;
    streams.set(stream, performance.now());
    this.#streams += 1;
    stream.once('close', () => {
      streams.delete(stream);
      this.#streams -= 1;
    });
  }

  look(): void {
    const now = performance.now();
    for (const connection of this.#connections.values()) {
      if (!connection.begun && now - connection.since > this.#bounds.beginTime)
        connection.session.destroy();
      else this.#endSlowCalls(connection, now);
    }
    const held = process.memoryUsage().arrayBuffers;
    const most = this.#bounds.heldBytes;
    if (held > 2 * most) this.#relieve(held - most, heldBy);
    else if (held > most) this.#relieve(held - most / 2, receivedBy);
    else if (held < most / 2)
      for (const connection of this.#connections.values())
        connection.calmBytes = sentBy(connection);
  }

  /** Calls are in the order in which they began. */
  #endSlowCalls({ streams }: Connection, now: number): void {
    for (const [stream, since] of streams) {
      if (now - since <= this.#bounds.callTime) return;
      if (!stream.headersSent) stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  /** Ends the connections that hold most, until what they may hold adds up to `excess`. */
  #relieve(excess: number, holds: (connection: Connection) => number): void {
    const holders = [...this.#connections.values()]
      .map((connection) => ({ connection, held: holds(connection) }))
      .sort((a, b) => b.held - a.held);
    let relieved = 0;
    for (const { connection, held } of holders) {
      if (relieved >= excess || held < this.#bounds.heldBytes * shareMin) return;
      connection.session.destroy();
      relieved += held;
    }
  }
}

/** What has come by a connection since memory was calm. */
function receivedBy(connection: Connection): number {
  return sentBy(connection) - connection.calmBytes;
}

/** The same, and the answers that wait for it. */
function heldBy(connection: Connection): number {
  let held = receivedBy(connection);
  for (const stream of connection.streams.keys()) held += stream.writableLength;
  return held;
}

function sentBy({ session }: Connection): number {
  return session.destroyed ? 0 : session.socket.bytesRead;
}
