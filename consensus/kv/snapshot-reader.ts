import { fail, ok, type Result } from '../../base/result.ts';
import { readAlarm } from './alarm-codec.ts';
import { AlarmTable } from './alarm-table.ts';
import { AuthTable } from './auth/auth-table.ts';
import type { RoleDescription, UserDescription } from './auth/change.ts';
import { readRole, readUser } from './auth/codec.ts';
import { ByteReader } from './byte-reader.ts';
import { emptyBytes } from './byte-string.ts';
import { crc32 } from './crc32.ts';
import { History } from './history.ts';
import { LeaseTable } from './lease-table.ts';
import { MemberTable } from './member-table.ts';
import { readList } from './operation-codec.ts';
import { formatVersion, recordKinds } from './snapshot-layout.ts';
import { isTombstone, type LeaseId, noLease, type Revision, type Version } from './version.ts';

/** What a snapshot holds. */
export interface Content {
  readonly history: History;
  readonly leases: LeaseTable;
  readonly members: MemberTable;
  readonly alarms: AlarmTable;
  readonly auth: AuthTable;
}

/** Reads a whole snapshot. The failure says which chunk is damaged or missing. */
export function readSnapshot(chunks: Iterable<Uint8Array>): Result<Content, string> {
  const content: Content = {
    history: new History(),
    leases: new LeaseTable(),
    members: new MemberTable(),
    alarms: new AlarmTable(),
    auth: new AuthTable(),
  };
  const state: ReadState = {
    ...content,
    records: 0,
    revision: null,
    ended: false,
    roles: [],
    users: [],
  };
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
  readonly roles: RoleDescription[];
  readonly users: UserDescription[];
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
  if (kind === recordKinds.header) {
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
  if (kind === recordKinds.end) {
    if (reader.varint() !== state.records) return 'tells of more or fewer records than there are';
    if (state.history.revision > state.revision) return 'ends before its last change';
    state.history.advance(state.revision);
    state.ended = true;
    return null;
  }
  state.records += 1;
  if (kind === recordKinds.lease) {
    state.leases.grant(reader.i64() as LeaseId, reader.varint(), reader.varint());
    return null;
  }
  if (kind === recordKinds.member) {
    const [member, name] = [reader.varint(), reader.bytes()];
    state.members.set({ member, name, clientUrls: readList(reader, () => reader.bytes()) });
    return null;
  }
  if (kind === recordKinds.alarm) {
    const alarm = readAlarm(reader);
    if (alarm === null) return 'holds an alarm that is none';
    state.alarms.raise(alarm);
    return null;
  }
  if (kind === recordKinds.role || kind === recordKinds.user) {
    if (kind === recordKinds.role) state.roles.push(readRole(reader));
    else state.users.push(readUser(reader));
    return null;
  }
  if (kind === recordKinds.auth) {
    const { roles, users } = state;
    const [enabled, revision] = [reader.u8() !== 0, reader.varint()];
    state.auth.restore({ enabled, revision, roles, users });
    return null;
  }
  if (kind !== recordKinds.compacted && kind !== recordKinds.change)
    return `holds a record of kind ${kind}`;
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
    lease: (isLive ? reader.i64() : noLease) as LeaseId,
    value: isLive ? reader.bytes() : emptyBytes,
    modRevision,
    sub,
    version: count,
    previous: history.latest(key),
  };
  if (reader.failed) return null;
  if (kind === recordKinds.compacted) {
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
    if (!isTombstone(latest)) leases.move(latest.key, noLease, latest.lease);
    return true;
  });
}
