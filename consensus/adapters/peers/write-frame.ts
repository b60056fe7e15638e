import { codec } from '../../../proto/codec.ts';
import { Greeting, PeerMessage } from '../../../proto/gen/flotilla.raft.v1.ts';
import type { Proposal } from '../../core/entry.ts';
import type { Message } from '../../core/message.ts';
import { encodedSize, writeEntry } from '../entry-codec.ts';
import { numberSize, partSize, writeNumber, writePart } from './protobuf-bytes.ts';
import { toWire } from './to-wire.ts';

/**
 * Writes a `PeerFrame` with messages, as `raft.proto` lays it out, in one pass over one buffer. The
 * messages of elections, snapshots and changes are few: protobufjs writes those.
 */
export function encodeMessages(messages: readonly Message[]): Buffer {
  const prepared = messages.map(prepare);
  const size = prepared.reduce((sum, each) => sum + partSize(1, each.size), 0);
  const buffer = Buffer.allocUnsafe(partSize(2, size));
  let at = writePart(buffer, 0, 2, size);
  for (const each of prepared) at = each.write(buffer, writePart(buffer, at, 1, each.size));
  return buffer;
}

const greetings = codec(Greeting);

/** Writes a `PeerFrame` with a greeting. */
export function encodeGreeting(greeting: Greeting): Buffer {
  const bytes = greetings.encode(greeting);
  const buffer = Buffer.allocUnsafe(partSize(1, bytes.byteLength));
  buffer.set(bytes, writePart(buffer, 0, 1, bytes.byteLength));
  return buffer;
}

/** A part of a frame: its size is known before it is written. */
interface Prepared {
  readonly size: number;
  /** Returns where the next byte goes. */
  readonly write: (buffer: Buffer, at: number) => number;
}

const rare = codec(PeerMessage);

function prepare(message: Message): Prepared {
  switch (message.kind) {
    case 'append':
      return within(message.term, 6, append(message));
    case 'append-reply':
      return within(message.term, 7, numbers([message.match, message.round]));
    case 'heartbeat':
      return within(message.term, 9, numbers([message.commit, message.round, message.match]));
    case 'heartbeat-reply':
      return within(message.term, 10, numbers([message.round]));
    case 'commit':
      return within(message.term, 11, numbers([message.commit, message.match]));
    case 'propose':
      return within(message.term, 14, propose(message.proposals));
    case 'read':
      return within(message.term, 16, numbers([message.id]));
    case 'read-reply':
      return within(message.term, 17, numbers([message.id, message.index]));
    case 'pre-vote':
    case 'pre-vote-reply':
    case 'vote':
    case 'vote-reply':
    case 'append-rejected':
    case 'snapshot-chunk':
    case 'snapshot-reply':
    case 'propose-refused':
    case 'change':
    case 'change-refused':
    case 'take-over':
      return raw(rare.encode(toWire(message)));
  }
}

/** A `PeerMessage`: the term, and the body in its field. */
function within(term: number, field: number, body: Prepared): Prepared {
  return {
    size: numberSize(1, term) + partSize(field, body.size),
    write: (buffer, start) => {
      const at = writeNumber(buffer, start, 1, term);
      return body.write(buffer, writePart(buffer, at, field, body.size));
    },
  };
}

/** Fields 1, 2 and so on, all of them numbers. */
function numbers(values: readonly number[]): Prepared {
  return {
    size: values.reduce((sum, value, at) => sum + numberSize(at + 1, value), 0),
    write: (buffer, start) =>
      values.reduce((at, value, position) => writeNumber(buffer, at, position + 1, value), start),
  };
}

function append(message: Message & { readonly kind: 'append' }): Prepared {
  const { previousIndex, previousTerm, entries, commit, round } = message;
  let size = numberSize(1, previousIndex) + numberSize(2, previousTerm);
  for (const entry of entries) size += partSize(3, encodedSize(entry));
  size += numberSize(4, commit) + numberSize(5, round);
  return {
    size,
    write: (buffer, start) => {
      let at = writeNumber(buffer, start, 1, previousIndex);
      at = writeNumber(buffer, at, 2, previousTerm);
      for (const entry of entries)
        at = writeEntry(buffer, writePart(buffer, at, 3, encodedSize(entry)), entry);
      at = writeNumber(buffer, at, 4, commit);
      return writeNumber(buffer, at, 5, round);
    },
  };
}

function propose(proposals: readonly Proposal[]): Prepared {
  const sizeOf = ({ id, command }: Proposal): number =>
    numberSize(1, id.number) + partSize(2, command.byteLength);
  return {
    size: proposals.reduce((sum, proposal) => sum + partSize(1, sizeOf(proposal)), 0),
    write: (buffer, start) => {
      let at = start;
      for (const proposal of proposals) {
        const { id, command } = proposal;
        at = writeNumber(buffer, writePart(buffer, at, 1, sizeOf(proposal)), 1, id.number);
        at = writePart(buffer, at, 2, command.byteLength);
        buffer.set(command, at);
        at += command.byteLength;
      }
      return at;
    },
  };
}

function raw(bytes: Uint8Array): Prepared {
  return {
    size: bytes.byteLength,
    write: (buffer, at) => {
      buffer.set(bytes, at);
      return at + bytes.byteLength;
    },
  };
}
