import { crc32 } from 'node:zlib';
import type { StoreDump } from '../core/dump.ts';
import { type Quotas, quotaNames } from '../core/quota.ts';
import type { TransactionDump } from '../core/transaction.ts';
import { nodeAt } from '../core/tree.ts';
import { ByteWriter } from './bytes.ts';
import type { Image, Link } from './image.ts';
import { ownIdent, ownTypes, ownVersion, perRecord } from './own.ts';
import {
  accesses,
  noDomain,
  type QuotaValue,
  type StreamRecord,
  unlimitedDepth,
} from './records.ts';
import { writeEnd, writeFramed, writeHeader, writeRecord } from './stream.ts';
import { nodesOf, textOfPath, writeDifference, writeMarks } from './trees.ts';

/** A piece is given out when it is at least this long, so that others have their turn in between. */
const pieceBytes = 32 * 2 ** 10;

/** The most that a connection record can tell of what was read: a length of 16 bits. */
const receivedMax = 0xffff;

/**
 * Writes an image as Xen's migration stream of version 2 and, behind it, our own section. It comes in
 * pieces, between which the store that was dumped may go on.
 */
export function* encodeImage(image: Image): Generator<Uint8Array> {
  const writer = new ByteWriter();
  let checksum = 0;
  const piece = (): Uint8Array => {
    const bytes = writer.take();
    checksum = crc32(bytes, checksum);
    return bytes;
  };
  writeHeader(writer);
  for (const record of recordsOf(image)) {
    writeRecord(writer, record);
    if (writer.length >= pieceBytes) yield piece();
  }
  writeEnd(writer);
  writer.bytes(Buffer.from(ownIdent, 'latin1'));
  writer.u32(ownVersion);
  writer.u32(0);
  for (const _ of writeOwn(writer, image)) if (writer.length >= pieceBytes) yield piece();
  yield piece();
  writeFramed(writer, ownTypes.END, () => writer.u32(checksum));
  yield writer.take();
}

function quotasOf({ hard, softMemory }: Quotas): readonly QuotaValue[] {
  return [...quotaNames.map((name) => [name, hard[name]] as const), ['soft-memory', softMemory]];
}

/** The records of Xen's stream, each after those that it depends on. */
function* recordsOf({ store, links, listening, eventChannels }: Image): Generator<StreamRecord> {
  yield { kind: 'global', socket: listening ?? -1, eventChannels: eventChannels ?? -1 };
  yield { kind: 'global-quota', domains: quotasOf(store.quotas), globals: [] };
  const targets = new Map(store.domains.map(({ id, target }) => [id, target]));
  for (const { id, domain, transactions } of store.connections) {
    const link = links.get(id);
    if (link === undefined) continue;
    yield connectionOf(id, link, targets.get(domain) ?? null);
    for (const each of transactions) yield { kind: 'transaction', connection: id, id: each.id };
  }
  for (const { connection, path, token, hidden, depth } of store.watches)
    if (links.has(connection))
      yield {
        kind: 'watch',
        connection,
        path: textOfPath(path).slice(hidden),
        token,
        depth: depth === null ? null : Math.min(depth, unlimitedDepth - 1),
      };
  for (const { path, node } of nodesOf(store.top)) {
    const { value, permissions } = node;
    const text = textOfPath(path);
    yield {
      kind: 'node',
      connection: 0,
      transaction: 0,
      access: 0,
      path: text,
      value,
      permissions,
    };
  }
  for (const { id, transactions } of store.connections)
    if (links.has(id)) for (const each of transactions) yield* pendingOf(id, each);
  for (const { id, features, quotas } of store.domains)
    yield { kind: 'domain', domain: id, features, quotas: quotasOf(quotas) };
}

function connectionOf(id: number, link: Link, target: number | null): StreamRecord {
  const { received, unsent } = link.kind === 'socket' ? link : link.state;
  return {
    kind: 'connection',
    id,
    spec:
      link.kind === 'socket'
        ? link
        : {
            kind: 'ring',
            domain: link.place.domain,
            target: target ?? noDomain,
            port: link.boundPort,
          },
    received: received.subarray(0, receivedMax),
    unsent: unsent.bytes,
    partial: unsent.rest,
    uniqueId: null,
  };
}

/** The nodes that a transaction has read, changed or removed, as it sees them. */
function* pendingOf(connection: number, transaction: TransactionDump): Generator<StreamRecord> {
  const access = new Map<string, { readonly path: readonly string[]; bits: number }>();
  const note = (path: readonly string[], bit: number) => {
    const text = textOfPath(path);
    access.set(text, { path, bits: (access.get(text)?.bits ?? 0) | bit });
  };
  for (const { path } of transaction.reads) note(path, accesses.read);
  for (const { change } of transaction.changes) note(change.path, accesses.written);
  for (const [text, { path, bits }] of access) {
    const node = nodeAt(transaction.top, path);
    // That a node was missing has no record; that it was removed has.
    if (node === undefined && (bits & accesses.written) === 0) continue;
    yield {
      kind: 'node',
      connection,
      transaction: transaction.id,
      access: node === undefined ? 0 : bits,
      path: text,
      value: node?.value ?? new Uint8Array(0),
      permissions: node?.permissions ?? null,
    };
  }
}

/** Bytes become base64. */
function json(value: unknown): Uint8Array {
  return Buffer.from(
    JSON.stringify(value, function (this: Record<string, unknown>, key: string, given: unknown) {
      const own = this[key];
      return own instanceof Uint8Array ? Buffer.from(own).toString('base64') : given;
    }),
  );
}

function* pages<Each>(all: Iterable<Each>): Generator<readonly Each[]> {
  let page: Each[] = [];
  for (const each of all) {
    page.push(each);
    if (page.length < perRecord) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function* writeOwn(writer: ByteWriter, image: Image): Generator<void> {
  const { store, links, ...rest } = image;
  const { top, domains, connections, watches, ...counters } = store;
  const write = (type: number, value: unknown) =>
    writeFramed(writer, type, () => writer.bytes(json(value)));
  write(ownTypes.STORE, { ...counters, ...rest });
  for (const domain of domains) {
    write(ownTypes.DOMAIN, domain);
    yield;
  }
  for (const { transactions, ...connection } of connections) {
    write(ownTypes.CONNECTION, { ...connection, link: links.get(connection.id) ?? null });
    yield;
  }
  for (const page of pages(watches)) {
    write(ownTypes.WATCHES, page);
    yield;
  }
  for (const page of pages(everyNode(store))) {
    writeFramed(writer, ownTypes.NODES, () => {
      for (const node of page) writeMarks(writer, node);
    });
    yield;
  }
  let base = top;
  for (const { connection, transaction } of byAge(store)) {
    writeFramed(writer, ownTypes.TRANSACTION, () => {
      const { base: start, top: now, ...meta } = transaction;
      const text = json({ connection, ...meta });
      writer.count(text.length);
      writer.bytes(text);
      writeDifference(writer, start, base);
      writeDifference(writer, now, start);
      base = start;
    });
    yield;
  }
}

function* everyNode({ top }: StoreDump) {
  yield top;
  for (const { node } of nodesOf(top)) yield node;
}

/** Newest first: each differs little from the one before it, and the newest from the tree of now. */
function byAge({ connections }: StoreDump) {
  return connections
    .flatMap(({ id, transactions }) =>
      transactions.map((transaction) => ({ connection: id, transaction })),
    )
    .sort((one, other) => other.transaction.startedAt - one.transaction.startedAt);
}
