import { fail, ok, type Result } from '../../base/result.ts';
import { storeBounds } from './bounds.ts';
import { ByteReader } from './byte-reader.ts';
import { type ByteString, emptyBytes, nextKey } from './byte-string.ts';
import { ByteWriter } from './byte-writer.ts';
import { crc32 } from './crc32.ts';
import { History } from './history.ts';
import { type Lease, LeaseTable } from './lease-table.ts';
import { type MemberDescription, MemberTable } from './member-table.ts';
import { readList } from './operation-codec.ts';
import { isTombstone, type LeaseId, type Revision, type Version } from './version.ts';

/**
 * The layout of a snapshot. Each chunk: the CRC-32 of all that follows in it (4 bytes), its number
 * from 0 (varint), then records, each with its kind first. The last record of the last chunk is the
 * end, with the number of all records before it.
 */
const kinds = { header: 1, lease: 2, compacted: 3, change: 4, end: 5, member: 6 } as const;

/** Raised when the layout changes in a way that older members cannot read. */
const formatVersion = 1;

/** Keys that are looked up in the index at a time, while the snapshot is being read. */
const keysPerLookUp = 256;

interface Content {
  readonly history: History;
  readonly leases: LeaseTable;
  readonly members: MemberTable;
}

/** See `Store.snapshot`. */
export function snapshotChunks(
  history: History,
  leases: LeaseTable,
  members: MemberTable,
): Iterable<Uint8Array> {
  const unpin = history.pin();
  const tables = [...[...members.all()].map(memberRecord), ...[...leases.all()].map(leaseRecord)];
  const chunks = makeChunks(records(history, tables), unpin);
  let first: IteratorResult<Uint8Array, void> | null = chunks.next();
  return {
    [Symbol.iterator]: () => ({
      next: () => {
        const result = first ?? chunks.next();
        first = null;
        return result;
      },
      return: () => chunks.return(),
    }),
  };
}

type RecordWriter = (writer: ByteWriter) => void;

function memberRecord({ member, name, clientUrls }: MemberDescription): RecordWriter {
  return (writer) => {
    writer.u8(kinds.member);
    writer.varint(member);
    writer.bytes(name);
    writer.varint(clientUrls.length);
    for (const url of clientUrls) writer.bytes(url);
  };
}

/** The lease as it is now; it may be renewed before this is written. */
function leaseRecord({ id, ttl, renewals }: Lease): RecordWriter {
  return (writer) => {
    writer.u8(kinds.lease);
    writer.i64(id);
    writer.varint(ttl);
    writer.varint(renewals);
  };
}

function* makeChunks(
  source: Iterable<RecordWriter>,
  release: () => void,
): Generator<Uint8Array, void> {
  try {
    const writer = new ByteWriter();
    let count = 0;
    let number = 0;
    writer.varint(number);
    for (const write of source) {
      write(writer);
      count += 1;
      if (writer.length < storeBounds.snapshotChunk) continue;
      yield sealed(writer.finish());
      number += 1;
      writer.varint(number);
    }
    writer.u8(kinds.end);
    writer.varint(count);
    yield sealed(writer.finish());
  } finally {
    release();
  }
}

function sealed(content: Buffer): Buffer {
  const chunk = Buffer.allocUnsafe(content.length + 4);
  chunk.writeUInt32LE(crc32(content), 0);
  content.copy(chunk, 4);
  return chunk;
}

/** What the history holds at the first call of `next`; later changes do not show. */
function* records(history: History, tables: readonly RecordWriter[]): Generator<RecordWriter> {
  const { revision, compacted, log } = history;
  const end = log.end;
  let position = log.firstAtOrAfter(compacted);
  yield (writer) => {
    writer.u8(kinds.header);
    writer.varint(formatVersion);
    writer.varint(revision);
    writer.varint(compacted);
  };
  yield* tables;
  for (const version of compactedVersions(history, compacted))
    yield (writer) => writeVersion(writer, kinds.compacted, version);
  for (; position < end; position += 1) {
    const version = log.at(position);
    yield (writer) => writeVersion(writer, kinds.change, version);
  }
}

/** Of each key the version that was current just before the first change that the log retains. */
function* compactedVersions(history: History, compacted: Revision): Generator<Version> {
  let from: ByteString | null = emptyBytes;
  while (from !== null) {
    const found: Version[] = [];
    let last: ByteString | null = null;
    let looked = 0;
    history.scanLatest(from, (latest) => {
      let version: Version | null = latest;
      while (version !== null && version.modRevision >= compacted) version = version.previous;
      if (version !== null && !isTombstone(version)) found.push(version);
      last = latest.key;
      looked += 1;
      return looked < keysPerLookUp;
    });
    yield* found;
    from = last === null || looked < keysPerLookUp ? null : nextKey(last);
  }
}

function writeVersion(writer: ByteWriter, kind: number, version: Version): void {
  writer.u8(kind);
  writer.varint(version.modRevision);
  writer.varint(version.sub);
  writer.varint(version.version);
  writer.bytes(version.key);
  if (isTombstone(version)) return;
  writer.varint(version.createRevision);
  writer.i64(version.lease);
  writer.bytes(version.value);
}

/** Reads a whole snapshot. The failure says which chunk is damaged or missing. */
export function readSnapshot(chunks: Iterable<Uint8Array>): Result<Content, string> {
  const content: Content = {
    history: new History(),
    leases: new LeaseTable(),
    members: new MemberTable(),
  };
  const state: ReadState = { ...content, records: 0, revision: null, ended: false };
  let number = 0;
  for (const chunk of chunks) {
    const problem = readChunk(state, chunk, number);
    if (problem !== null) return fail(`chunk ${number} of the snapshot ${problem}`);
    number += 1;
  }
  if (!state.ended) return fail(`the snapshot ends after chunk ${number - 1}: chunks are missing`);
  attachLeases(content);
  return ok(content);
}

interface ReadState extends Content {
  records: number;
  revision: Revision | null;
  ended: boolean;
}

function readChunk(state: ReadState, chunk: Uint8Array, number: number): string | null {
  if (state.ended) return 'follows its end';
  const checksum = new ByteReader(chunk).u32();
  if (chunk.length < 5 || crc32(chunk.subarray(4)) !== checksum)
    return 'does not match its checksum: it is damaged';
  const reader = new ByteReader(chunk.subarray(4));
  if (reader.varint() !== number) return 'is not the one that should come here';
  while (!reader.isAtEnd) {
    const problem = readRecord(state, reader);
    if (problem !== null) return problem;
    if (reader.failed) return 'holds a record that is cut off';
  }
  return null;
}

function readRecord(state: ReadState, reader: ByteReader): string | null {
  const kind = reader.u8();
  if (kind === kinds.header) {
    if (reader.varint() !== formatVersion) return 'is of a format that this version cannot read';
    const revision = reader.varint() as Revision;
    const compacted = reader.varint() as Revision;
    if (state.records > 0 || compacted > revision) return 'has a header that cannot be';
    state.revision = revision;
    state.history.startFrom(compacted);
    state.records += 1;
    return null;
  }
  if (state.revision === null) return 'does not begin with a header';
  if (kind === kinds.end) {
    if (reader.varint() !== state.records) return 'tells of more or fewer records than there are';
    if (state.history.revision > state.revision) return 'ends before its last change';
    state.history.advance(state.revision);
    state.ended = true;
    return null;
  }
  state.records += 1;
  if (kind === kinds.lease) {
    state.leases.grant(reader.i64() as LeaseId, reader.varint(), reader.varint());
    return null;
  }
  if (kind === kinds.member) {
    const [member, name] = [reader.varint(), reader.bytes()];
    state.members.set({ member, name, clientUrls: readList(reader, () => reader.bytes()) });
    return null;
  }
  if (kind !== kinds.compacted && kind !== kinds.change) return `holds a record of kind ${kind}`;
  return readVersion(state, reader, kind);
}

function readVersion(state: ReadState, reader: ByteReader, kind: number): string | null {
  const { history } = state;
  const modRevision = reader.varint() as Revision;
  const sub = reader.varint();
  const count = reader.varint();
  const key = reader.bytes();
  const isLive = count > 0;
  const version: Version = {
    key,
    createRevision: (isLive ? reader.varint() : 0) as Revision,
    lease: (isLive ? reader.i64() : 0n) as LeaseId,
    value: isLive ? reader.bytes() : emptyBytes,
    modRevision,
    sub,
    version: count,
    previous: history.latest(key),
  };
  if (reader.failed) return null;
  if (kind === kinds.compacted) {
    if (modRevision > history.compacted) return 'has a change among what was compacted';
    history.appendCompacted(version);
    return null;
  }
  if (modRevision < history.revision) return 'has changes out of order';
  history.append(version);
  history.advance(modRevision);
  return null;
}

/** A lease's keys are those whose latest version names it. */
function attachLeases({ history, leases }: Content): void {
  history.scanLatest(emptyBytes, (latest) => {
    if (!isTombstone(latest)) leases.move(latest.key, 0n as LeaseId, latest.lease);
    return true;
  });
}
