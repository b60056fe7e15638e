import { fail, ok, type Result } from '../../base/result.ts';
import { configurationOf } from '../core/configuration.ts';
import type { Entry, HardState, Payload, Position } from '../core/entry.ts';
import { logIndex, type MemberId, memberId, term } from '../core/ids.ts';
import type { Persist } from '../core/output.ts';
import { configurationText, parseConfiguration } from './configuration-json.ts';

/**
 * The layout of log records, on disk and in the entries that members exchange. Little-endian;
 * whole numbers are IEEE doubles, exact up to 2^53; each record begins with its kind.
 *
 *   1 hard state     term, vote (0: none), commit
 *   2 reset          index, term
 *   3 noop           index, term
 *   4 command        index, term, proposer, number, length (u32), bytes
 *   5 configuration  index, term, voters (u32 count, ids), learners (the same); no longer written
 *   6 configuration  index, term, proposer (0: none), number, length (u32), JSON
 */
const kinds = {
  hardState: 1,
  reset: 2,
  noop: 3,
  command: 4,
  members: 5,
  configuration: 6,
} as const;

/** What one record says. */
export type LogRecord =
  | { readonly kind: 'hard-state'; readonly hardState: HardState }
  | { readonly kind: 'reset'; readonly position: Position }
  | { readonly kind: 'entry'; readonly entry: Entry };

/** Most members in a configuration that is believed. */
const membersMax = 1024;

/** The size of an entry's record in bytes. */
export function encodedSize({ payload }: Entry): number {
  switch (payload.kind) {
    case 'noop':
      return 17;
    case 'command':
      return 37 + payload.proposal.command.byteLength;
    case 'configuration':
      return 37 + Buffer.byteLength(configurationText(payload.configuration));
  }
}

/** One entry as a record. */
export function encodeEntry(entry: Entry): Buffer {
  const buffer = Buffer.allocUnsafe(encodedSize(entry));
  writeEntry(buffer, 0, entry);
  return buffer;
}

/** The size of the records of a list of writes, in bytes. */
export function persistsSize(list: readonly Persist[]): number {
  let size = 0;
  for (const { hardState, reset, entries } of list) {
    size += (hardState === null ? 0 : 25) + (reset === null ? 0 : 17);
    for (const entry of entries) size += encodedSize(entry);
  }
  return size;
}

/** Writes the records of a list of writes; returns where the next byte goes. */
export function writePersists(buffer: Buffer, start: number, list: readonly Persist[]): number {
  let at = start;
  for (const { hardState, reset, entries } of list) {
    if (hardState !== null) {
      at = buffer.writeUInt8(kinds.hardState, at);
      at = buffer.writeDoubleLE(hardState.term, at);
      at = buffer.writeDoubleLE(hardState.vote ?? 0, at);
      at = buffer.writeDoubleLE(hardState.commit, at);
    }
    if (reset !== null) {
      at = buffer.writeUInt8(kinds.reset, at);
      at = buffer.writeDoubleLE(reset.index, at);
      at = buffer.writeDoubleLE(reset.term, at);
    }
    for (const entry of entries) at = writeEntry(buffer, at, entry);
  }
  return at;
}

/** Writes an entry's record; returns where the next byte goes. */
export function writeEntry(buffer: Buffer, start: number, { index, term, payload }: Entry): number {
  let at = buffer.writeUInt8(kinds[payload.kind], start);
  at = buffer.writeDoubleLE(index, at);
  at = buffer.writeDoubleLE(term, at);
  switch (payload.kind) {
    case 'noop':
      return at;
    case 'command': {
      const { id, command } = payload.proposal;
      at = buffer.writeDoubleLE(id.member, at);
      at = buffer.writeDoubleLE(id.number, at);
      at = buffer.writeUInt32LE(command.byteLength, at);
      buffer.set(command, at);
      return at + command.byteLength;
    }
    case 'configuration':
      return writeConfiguration(buffer, at, payload);
  }
}

function writeConfiguration(
  buffer: Buffer,
  start: number,
  { configuration, proposal }: Payload & { readonly kind: 'configuration' },
): number {
  const text = configurationText(configuration);
  let at = buffer.writeDoubleLE(proposal?.member ?? 0, start);
  at = buffer.writeDoubleLE(proposal?.number ?? 0, at);
  at = buffer.writeUInt32LE(Buffer.byteLength(text), at);
  return at + buffer.write(text, at);
}

/** Reads records from front to back; anything that cannot be one is a failure, never a throw. */
class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #good = true;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get good(): boolean {
    return this.#good;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  #take(length: number): number | null {
    if (!this.#good || this.#at + length > this.#end) {
      this.#good = false;
      return null;
    }
    this.#at += length;
    return this.#at - length;
  }

  byte(): number {
    const at = this.#take(1);
    return at === null ? 0 : this.#bytes.readUInt8(at);
  }

  count(): number {
    const at = this.#take(4);
    return at === null ? 0 : this.#bytes.readUInt32LE(at);
  }

  whole(): number {
    const at = this.#take(8);
    const value = at === null ? 0 : this.#bytes.readDoubleLE(at);
    if (!Number.isSafeInteger(value) || value < 0) this.#good = false;
    return value;
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return at === null ? new Uint8Array() : this.#bytes.subarray(at, at + length);
  }

  members(): readonly MemberId[] {
    const count = this.count();
    if (count > membersMax) this.#good = false;
    const members: MemberId[] = [];
    for (let i = 0; i < count && this.#good; i += 1) members.push(memberId(this.whole()));
    return members;
  }

  reject(): void {
    this.#good = false;
  }
}

/** Decodes all records; a failure names no position, because the checksum has passed before. */
export function decodeRecords(bytes: Uint8Array): Result<readonly LogRecord[], string> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new Reader(buffer, 0, buffer.byteLength);
  const records: LogRecord[] = [];
  while (reader.good && !reader.atEnd) {
    const record = readRecord(reader);
    if (record !== null && reader.good) records.push(record);
  }
  return reader.good ? ok(records) : fail('a log record cannot be read');
}

/** The entry that is all there is between two places of a buffer; null if it is anything else. */
export function decodeEntry(buffer: Buffer, start: number, end: number): Entry | null {
  const reader = new Reader(buffer, start, end);
  const record = readRecord(reader);
  return reader.good && reader.atEnd && record?.kind === 'entry' ? record.entry : null;
}

function readRecord(reader: Reader): LogRecord | null {
  const kind = reader.byte();
  if (kind === kinds.hardState) {
    const current = term(reader.whole());
    const vote = reader.whole();
    const commit = logIndex(reader.whole());
    const hardState = { term: current, vote: vote === 0 ? null : memberId(vote), commit };
    return { kind: 'hard-state', hardState };
  }
  const index = logIndex(reader.whole());
  const at = term(reader.whole());
  if (kind === kinds.reset) return { kind: 'reset', position: { index, term: at } };
  const payload = readPayload(reader, kind);
  return payload === null ? null : { kind: 'entry', entry: { index, term: at, payload } };
}

function readPayload(reader: Reader, kind: number): Payload | null {
  if (kind === kinds.noop) return { kind: 'noop' };
  if (kind === kinds.command) {
    const id = { member: memberId(reader.whole()), number: reader.whole() };
    return { kind: 'command', proposal: { id, command: reader.bytes(reader.count()) } };
  }
  if (kind === kinds.members) {
    const voters = reader.members();
    const configuration = configurationOf(voters, reader.members());
    return { kind: 'configuration', configuration, proposal: null };
  }
  if (kind === kinds.configuration) {
    const id = { member: memberId(reader.whole()), number: reader.whole() };
    const text = Buffer.from(reader.bytes(reader.count())).toString();
    const configuration = parseConfiguration(text);
    if (configuration !== null)
      return { kind: 'configuration', configuration, proposal: id.member === 0 ? null : id };
  }
  reader.reject();
  return null;
}
