import type { Alarm } from './alarm.ts';
import { writeAlarms } from './alarm-codec.ts';
import type { AlarmTable } from './alarm-table.ts';
import type { AuthTable } from './auth/auth-table.ts';
import { writeRole, writeUser } from './auth/codec.ts';
import { storeBounds } from './bounds.ts';
import { type ByteString, emptyBytes, nextKey } from './byte-string.ts';
import { ByteWriter } from './byte-writer.ts';
import { crc32 } from './crc32.ts';
import type { History } from './history.ts';
import type { Lease, LeaseTable } from './lease-table.ts';
import type { MemberDescription, MemberTable } from './member-table.ts';
import { formatVersion, recordKinds } from './snapshot-layout.ts';
import { isTombstone, type Revision, type Version } from './version.ts';

/** Length of the checksum that each chunk begins with. */
const checksumBytes = 4;

/** Keys that are looked up in the index at a time, while the snapshot is being read. */
const keysPerLookUp = 256;

/** See `Store.snapshot`. */
export function snapshotChunks(
  history: History,
  leases: LeaseTable,
  members: MemberTable,
  alarms: AlarmTable,
  auth: AuthTable,
): Iterable<Uint8Array> {
  const unpin = history.pin();
  const tables = [
    ...[...members.all()].map(memberRecord),
    ...alarms.all().map(alarmRecord),
    ...authRecords(auth),
    ...[...leases.all()].map(leaseRecord),
  ];
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
    writer.u8(recordKinds.member);
    writer.varint(member);
    writer.bytes(name);
    writer.varint(clientUrls.length);
    for (const url of clientUrls) writer.bytes(url);
  };
}

function alarmRecord(alarm: Alarm): RecordWriter {
  return (writer) => {
    writer.u8(recordKinds.alarm);
    writeAlarms(writer, alarm);
  };
}

/** The record that tells whether rights are enforced follows the roles and the users. */
function authRecords(auth: AuthTable): RecordWriter[] {
  if (auth.isUntouched) return [];
  const { enabled, revision, roles, users } = auth.state();
  return [
    ...roles.map((role) => (writer: ByteWriter) => {
      writer.u8(recordKinds.role);
      writeRole(writer, role);
    }),
    ...users.map((user) => (writer: ByteWriter) => {
      writer.u8(recordKinds.user);
      writeUser(writer, user);
    }),
    (writer) => {
      writer.u8(recordKinds.auth);
      writer.u8(enabled ? 1 : 0);
      writer.varint(revision);
    },
  ];
}

/** The lease as it is now; it may be renewed before this is written. */
function leaseRecord({ id, ttl, renewals }: Lease): RecordWriter {
  return (writer) => {
    writer.u8(recordKinds.lease);
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
    begin(writer, number);
    for (const write of source) {
      write(writer);
      count += 1;
      if (writer.length < storeBounds.snapshotChunk) continue;
      yield sealed(writer.finish());
      number += 1;
      begin(writer, number);
    }
    writer.u8(recordKinds.end);
    writer.varint(count);
    yield sealed(writer.finish());
  } finally {
    release();
  }
}

/** Begins a chunk, with room for its checksum. */
function begin(writer: ByteWriter, number: number): void {
  writer.u32(0);
  writer.varint(number);
}

function sealed(chunk: Buffer): Buffer {
  chunk.writeUInt32LE(crc32(chunk.subarray(checksumBytes)), 0);
  return chunk;
}

/** What the history holds at the first call of `next`; later changes do not show. */
function* records(history: History, tables: readonly RecordWriter[]): Generator<RecordWriter> {
  const { revision, compacted, log } = history;
  const end = log.end;
  let position = log.firstAtOrAfter(compacted);
  yield (writer) => {
    writer.u8(recordKinds.header);
    writer.varint(formatVersion);
    writer.varint(revision);
    writer.varint(compacted);
  };
  yield* tables;
  for (const version of compactedVersions(history, compacted))
    yield (writer) => writeVersion(writer, recordKinds.compacted, version);
  for (; position < end; position += 1) {
    const version = log.at(position);
    yield (writer) => writeVersion(writer, recordKinds.change, version);
  }
}

/** Of each key the version that was current at `compacted`, unless it is among the log's changes. */
export function* compactedVersions(history: History, compacted: Revision): Generator<Version> {
  let from: ByteString | null = emptyBytes;
  while (from !== null) {
    const found: Version[] = [];
    let last: ByteString | null = null;
    let looked = 0;
    history.scanLatest(from, (latest) => {
      let version: Version | null = latest;
      while (version !== null && version.modRevision > compacted) version = version.previous;
      const isInLog = version?.modRevision === compacted;
      if (version !== null && !isInLog && !isTombstone(version)) found.push(version);
      last = latest.key;
      looked += 1;
      return looked < keysPerLookUp;
    });
    yield* found;
    from = last === null || looked < keysPerLookUp ? null : nextKey(last);
  }
}

/** Writes one version, its kind of record first. */
export function writeVersion(writer: ByteWriter, kind: number, version: Version): void {
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
