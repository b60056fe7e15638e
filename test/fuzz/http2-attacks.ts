import { gzipSync } from 'node:zlib';
import type { Random } from '../../base/random.ts';
import {
  call,
  callHeaders,
  flags,
  frame,
  frameTypes,
  grpcMessage,
  indexedLiteral,
  inFrames,
  literal,
  preface,
  settings,
  word,
} from './http2-frames.ts';
import { RawConnection } from './raw-connection.ts';

/** What a hostile client does to a port, with everything that it chooses drawn from `random`. */
export interface Attack {
  readonly name: string;
  /** `path` is a method of the port. */
  run(address: string, path: string, random: Random): Promise<void>;
}

/** Arbitrary bytes, at most so many. */
export function noise(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.below(most + 1) }, () => random.below(256)));
}

/** Does something on a connection of its own that has begun as HTTP/2. */
async function onConnection(
  address: string,
  act: (connection: RawConnection) => Promise<void>,
): Promise<void> {
  const connection = await RawConnection.to(address);
  await connection.send(preface, settings());
  await act(connection);
  await connection.ends();
  connection.close();
}

function attack(
  name: string,
  act: (connection: RawConnection, path: string, random: Random) => Promise<void>,
): Attack {
  return {
    name,
    run: (address, path, random) =>
      onConnection(address, (connection) => act(connection, path, random)),
  };
}

/** Sends the same thing often, in pieces that do not swamp the sender. */
async function flood(
  connection: RawConnection,
  count: number,
  make: (position: number) => Uint8Array,
): Promise<void> {
  for (let at = 0; at < count && !connection.isClosed; at += 500) {
    const batch = Array.from({ length: Math.min(500, count - at) }, (_, i) => make(at + i));
    await connection.send(Buffer.concat(batch));
  }
}

/** The client's stream ids are the odd ones. */
function streamId(position: number): number {
  return 2 * position + 1;
}

/** Attacks by single connections. */
export const http2Attacks: readonly Attack[] = [
  {
    name: 'any bytes',
    run: async (address, _path, random) => {
      const connection = await RawConnection.to(address);
      await connection.send(noise(random, 2000));
      await connection.ends();
      connection.close();
    },
  },
  attack('any bytes after the preface', (connection, _path, random) =>
    connection.send(noise(random, 2000)),
  ),
  attack('any frames', async (connection, path, random) => {
    for (let count = 0; count < 50; count += 1) {
      const payload = random.chance(0.3) ? callHeaders(path) : noise(random, 100);
      const length = random.chance(0.9) ? payload.length : random.below(2 ** 24);
      const stream = random.chance(0.7) ? random.below(8) : random.below(2 ** 31);
      await connection.send(frame(random.below(12), random.below(256), stream, payload, length));
    }
  }),
  attack('a call with bytes that changed', async (connection, path, random) => {
    const bytes = call(path, 1, grpcMessage(noise(random, 50)));
    for (let count = random.below(4) + 1; count > 0; count -= 1)
      bytes[random.below(bytes.length)] = random.below(256);
    await connection.send(bytes);
  }),
  attack('headers without bounds', async (connection, path) => {
    const large = literal('x', 'v'.repeat(16_000));
    await connection.send(frame(frameTypes.headers, 0, 1, callHeaders(path)));
    await flood(connection, 2000, () => frame(frameTypes.continuation, 0, 1, large));
  }),
  attack('CONTINUATION without end', async (connection, path) => {
    await connection.send(frame(frameTypes.headers, 0, 1, callHeaders(path)));
    await flood(connection, 20_000, () => frame(frameTypes.continuation, 0, 1));
  }),
  attack('an HPACK bomb', async (connection, path) => {
    const entry = indexedLiteral('bomb', 'b'.repeat(3900));
    const bomb = Buffer.concat([callHeaders(path), entry, Buffer.alloc(12_000, 0xbe)]);
    await connection.send(frame(frameTypes.headers, flags.endHeaders, 1, bomb));
  }),
  attack('rapid reset', async (connection, path) => {
    const headers = callHeaders(path);
    await flood(connection, 20_000, (position) =>
      Buffer.concat([
        frame(frameTypes.headers, flags.endHeaders, streamId(position), headers),
        frame(frameTypes.reset, 0, streamId(position), word(8)),
      ]),
    );
  }),
  attack('resets by the server that are provoked', async (connection, path) => {
    const headers = callHeaders(path);
    await flood(connection, 10_000, (position) =>
      Buffer.concat([
        frame(frameTypes.headers, flags.endHeaders, streamId(position), headers),
        frame(frameTypes.windowUpdate, 0, streamId(position), word(0)),
      ]),
    );
  }),
  attack('a flood of pings that nobody reads the answers of', async (connection) => {
    connection.pause();
    await flood(connection, 100_000, () => frame(frameTypes.ping, 0, 0, Buffer.alloc(8)));
  }),
  attack('a flood of settings', async (connection, _path, random) => {
    connection.pause();
    await flood(connection, 50_000, () => settings([[random.below(8), random.below(2 ** 31)]]));
  }),
  attack('a flood of empty DATA', async (connection, path) => {
    await connection.send(frame(frameTypes.headers, flags.endHeaders, 1, callHeaders(path)));
    await flood(connection, 100_000, () => frame(frameTypes.data, 0, 1));
  }),
  attack('a flood of priorities', (connection) =>
    flood(connection, 50_000, (position) =>
      frame(frameTypes.priority, 0, streamId(position), Buffer.alloc(5)),
    ),
  ),
  attack('windows that overflow', async (connection, path) => {
    await connection.send(call(path, 1, grpcMessage(Buffer.alloc(0)), false));
    await flood(connection, 4, () => frame(frameTypes.windowUpdate, 0, 1, word(2 ** 31 - 1)));
    await flood(connection, 4, () => frame(frameTypes.windowUpdate, 0, 0, word(2 ** 31 - 1)));
  }),
  attack('a window of nothing', async (connection, path) => {
    await connection.send(settings([[4, 0]]));
    await flood(connection, 2000, (position) =>
      call(path, streamId(position), grpcMessage(Buffer.alloc(0))),
    );
  }),
  attack('calls that never end', async (connection, path) => {
    await flood(connection, 5000, (position) =>
      frame(frameTypes.headers, flags.endHeaders, streamId(position), callHeaders(path)),
    );
  }),
  attack('messages that lie about their length', async (connection, path, random) => {
    await flood(connection, 50, (position) => {
      const length = random.pick([0, 1, 2 ** 20, 2 ** 31, 2 ** 32 - 1]);
      return call(
        path,
        streamId(position),
        grpcMessage(noise(random, 100), length),
        random.chance(0.5),
      );
    });
  }),
  attack('messages that say they are compressed', async (connection, path, random) => {
    await flood(connection, 50, (position) => {
      const body = grpcMessage(noise(random, 100), undefined, random.below(255) + 1);
      return call(path, streamId(position), body);
    });
  }),
  attack('messages that are small until they are decompressed', async (connection, path) => {
    const bomb = grpcMessage(gzipSync(Buffer.alloc(64 * 2 ** 20)), undefined, 1);
    const headers = Buffer.concat([callHeaders(path), literal('grpc-encoding', 'gzip')]);
    await flood(connection, 20, (position) =>
      Buffer.concat([
        frame(frameTypes.headers, flags.endHeaders, streamId(position), headers),
        ...inFrames(streamId(position), bomb, true),
      ]),
    );
  }),
  attack('messages that do not come in whole', async (connection, path) => {
    const most = Buffer.alloc(2 ** 20);
    for (let position = 0; position < 32 && !connection.isClosed; position += 1)
      await connection.send(
        frame(frameTypes.headers, flags.endHeaders, streamId(position), callHeaders(path)),
        ...inFrames(streamId(position), grpcMessage(most, 1_900_000), false),
      );
  }),
  attack('a client that has sent all and reads on', async (connection, path) => {
    await connection.send(call(path, 1, grpcMessage(Buffer.alloc(0)), false));
    connection.halfClose();
  }),
];

/** Attacks by many connections at a time. */
export const crowds: readonly Attack[] = [
  {
    name: 'a thousand idle connections',
    run: (address) => crowd(address, 1000, () => Promise.resolve()),
  },
  {
    name: 'a thousand connections that began',
    run: (address) => crowd(address, 1000, (each) => each.send(preface, settings())),
  },
  {
    name: 'three hundred slow ones',
    run: (address, path, random) => {
      const whole = Buffer.concat([
        preface,
        settings(),
        call(path, 1, grpcMessage(Buffer.alloc(64))),
      ]);
      return crowd(address, 300, async (each) => {
        const end = random.below(whole.length);
        await each.send(whole.subarray(0, end));
      });
    },
  },
];

async function crowd(
  address: string,
  count: number,
  act: (connection: RawConnection) => Promise<void>,
): Promise<void> {
  const connections: RawConnection[] = [];
  for (let at = 0; at < count; at += 50)
    connections.push(
      ...(await Promise.all(Array.from({ length: 50 }, () => RawConnection.to(address)))),
    );
  await Promise.all(connections.map(act));
  await connections[0]?.ends();
  for (const connection of connections) connection.close();
}
