import { codec } from '../../../proto/codec.ts';
import { Greeting, PeerMessage } from '../../../proto/gen/flotilla.raft.v1.ts';
import type { Entry, Proposal } from '../../core/entry.ts';
import { logIndex, type MemberId, term } from '../../core/ids.ts';
import type { Message, MessageBody } from '../../core/message.ts';
import { decodeEntry } from '../entry-codec.ts';
import { fromWire } from './from-wire.ts';
import { FieldReader } from './protobuf-bytes.ts';

/** What a frame brings. */
export type Frame =
  | { readonly kind: 'greeting'; readonly greeting: Greeting }
  /** The bytes of a `PeerMessages`, for `decodeMessages`. */
  | { readonly kind: 'messages'; readonly bytes: Buffer }
  /** Nothing that this version knows. */
  | { readonly kind: 'unknown' };

const greetings = codec(Greeting);
const rare = codec(PeerMessage);

/** Reads the outside of a frame. Throws on bytes that are none, as gRPC expects of a decoder. */
export function decodeFrame(bytes: Buffer): Frame {
  const reader = new FieldReader(bytes, 0, bytes.byteLength);
  let frame: Frame = { kind: 'unknown' };
  while (reader.next()) {
    if (!reader.isPart) continue;
    const part = bytes.subarray(reader.start, reader.start + reader.value);
    if (reader.field === 1) frame = { kind: 'greeting', greeting: greetings.decode(part) };
    else if (reader.field === 2) frame = { kind: 'messages', bytes: part };
  }
  if (reader.failed) throw new Error('not a frame');
  return frame;
}

/**
 * Reads the messages of a frame on the stream from `from` to `to`; null if one of them cannot be a
 * message: see `fromWire`.
 */
export function decodeMessages(
  from: MemberId,
  to: MemberId,
  bytes: Buffer,
): readonly Message[] | null {
  const messages: Message[] = [];
  const reader = new FieldReader(bytes, 0, bytes.byteLength);
  while (reader.next()) {
    if (reader.field !== 1 || !reader.isPart) continue;
    const message = readMessage(from, to, bytes, reader.start, reader.start + reader.value);
    if (message === null) return null;
    messages.push(message);
  }
  return reader.failed ? null : messages;
}

function readMessage(
  from: MemberId,
  to: MemberId,
  bytes: Buffer,
  start: number,
  end: number,
): Message | null {
  const reader = new FieldReader(bytes, start, end);
  let messageTerm = 0;
  let [field, bodyStart, bodyEnd] = [0, 0, 0];
  while (reader.next())
    if (reader.isPart) {
      // Of the parts of a oneof the last one counts.
      field = reader.field;
      bodyStart = reader.start;
      bodyEnd = reader.start + reader.value;
    } else if (reader.field === 1) messageTerm = reader.value;
  if (reader.failed) return null;
  if (!isFrequent(field)) return readRare(from, to, bytes.subarray(start, end));
  const body = readBody(from, messageTerm, field, bytes, bodyStart, bodyEnd);
  return body === null ? null : { from, to, term: term(messageTerm), ...body };
}

function readRare(from: MemberId, to: MemberId, bytes: Buffer): Message | null {
  try {
    return fromWire(from, to, rare.decode(bytes));
  } catch {
    return null;
  }
}

/** The fields of the bodies that are read here; the others are read by protobufjs. */
function isFrequent(field: number): boolean {
  return (
    field === 6 ||
    field === 7 ||
    (field >= 9 && field <= 11) ||
    field === 14 ||
    field === 16 ||
    field === 17
  );
}

function readBody(
  from: MemberId,
  messageTerm: number,
  field: number,
  bytes: Buffer,
  start: number,
  end: number,
): MessageBody | null {
  if (field === 6) return readAppend(messageTerm, bytes, start, end);
  if (field === 14) return readPropose(from, bytes, start, end);
  const reader = new FieldReader(bytes, start, end);
  let [one, two, three] = [0, 0, 0];
  while (reader.next())
    if (reader.isPart) continue;
    else if (reader.field === 1) one = reader.value;
    else if (reader.field === 2) two = reader.value;
    else if (reader.field === 3) three = reader.value;
  if (reader.failed) return null;
  if (field === 7) return { kind: 'append-reply', match: logIndex(one), round: two };
  if (field === 9)
    return { kind: 'heartbeat', commit: logIndex(one), match: logIndex(three), round: two };
  if (field === 10) return { kind: 'heartbeat-reply', round: one };
  if (field === 11) return { kind: 'commit', commit: logIndex(one), match: logIndex(two) };
  if (field === 16) return { kind: 'read', id: one };
  return { kind: 'read-reply', id: one, index: logIndex(two) };
}

function readAppend(
  messageTerm: number,
  bytes: Buffer,
  start: number,
  end: number,
): MessageBody | null {
  const reader = new FieldReader(bytes, start, end);
  const entries: Entry[] = [];
  let [previousIndex, previousTerm, commit, round] = [0, 0, 0, 0];
  while (reader.next()) {
    if (reader.isPart) {
      if (reader.field !== 3) continue;
      const entry = decodeEntry(bytes, reader.start, reader.start + reader.value);
      if (entry === null) return null;
      entries.push(entry);
    } else if (reader.field === 1) previousIndex = reader.value;
    else if (reader.field === 2) previousTerm = reader.value;
    else if (reader.field === 4) commit = reader.value;
    else if (reader.field === 5) round = reader.value;
  }
  if (reader.failed) return null;
  let last = previousTerm;
  for (const [position, entry] of entries.entries()) {
    if (entry.index !== previousIndex + position + 1 || entry.term < last) return null;
    last = entry.term;
  }
  if (last > messageTerm) return null;
  return {
    kind: 'append',
    previousIndex: logIndex(previousIndex),
    previousTerm: term(previousTerm),
    entries,
    commit: logIndex(commit),
    round,
  };
}

function readPropose(
  from: MemberId,
  bytes: Buffer,
  start: number,
  end: number,
): MessageBody | null {
  const reader = new FieldReader(bytes, start, end);
  const proposals: Proposal[] = [];
  while (reader.next()) {
    if (reader.field !== 1 || !reader.isPart) continue;
    const inner = new FieldReader(bytes, reader.start, reader.start + reader.value);
    let number = 0;
    let command = bytes.subarray(0, 0);
    while (inner.next())
      if (inner.field === 1 && !inner.isPart) number = inner.value;
      else if (inner.field === 2 && inner.isPart)
        command = bytes.subarray(inner.start, inner.start + inner.value);
    if (inner.failed) return null;
    proposals.push({ id: { member: from, number }, command });
  }
  return reader.failed ? null : { kind: 'propose', proposals };
}
