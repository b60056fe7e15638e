import type { ConnectionId } from '../core/domain.ts';
import type { XenstoreError } from '../core/error.ts';
import type { Answer } from '../core/input.ts';
import type { DomainId } from '../core/permissions.ts';
import type { Packet } from '../core/wire.ts';
import type { ByteReader, ByteWriter } from '../migration/bytes.ts';
import type { RingFault } from '../rings/layout.ts';
import type { RingPlace } from './attached.ts';

/**
 * What a journal is made of: everything that the store and the rings are told, in the order in which
 * they were, and what the hypervisor has answered meanwhile. All else follows from that.
 */
export type Entry =
  | { readonly kind: 'connect'; readonly connection: ConnectionId; readonly domain: DomainId }
  | { readonly kind: 'disconnect'; readonly connection: ConnectionId }
  /** Of a client that is not on a ring. */
  | { readonly kind: 'request'; readonly connection: ConnectionId; readonly packet: Packet }
  | { readonly kind: 'taken'; readonly connection: ConnectionId; readonly packets: number }
  /** Bytes that were taken out of a ring, and are whole requests but for the last. */
  | { readonly kind: 'received'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | {
      readonly kind: 'reset' | 'ready' | 'zeroed';
      readonly connection: ConnectionId;
    }
  | { readonly kind: 'broken'; readonly connection: ConnectionId; readonly fault: RingFault }
  /** A ring is to be served without a request; it is mapped next. */
  | { readonly kind: 'introduce'; readonly place: RingPlace }
  /** A ring was mapped, at these indexes of its page. */
  | {
      readonly kind: 'mapped';
      /** The question that asked for it; 0 where none did. */
      readonly ticket: number;
      readonly connection: ConnectionId;
      readonly consumed: number;
      readonly produced: number;
    }
  | { readonly kind: 'not-mapped'; readonly ticket: number; readonly error: XenstoreError }
  /** What the hypervisor has answered about a domain. */
  | { readonly kind: 'exists'; readonly domain: DomainId; readonly exists: boolean }
  | { readonly kind: 'domain-shutdown' | 'domain-gone'; readonly domain: DomainId }
  | {
      readonly kind: 'answer';
      readonly ticket: number;
      readonly answer: Exclude<Answer, { readonly kind: 'mapped' }>;
    }
  | { readonly kind: 'second' };

/** The kinds by their numbers, which are those of the file: none is ever used for another. */
const kinds = [
  'connect',
  'disconnect',
  'request',
  'taken',
  'received',
  'reset',
  'ready',
  'zeroed',
  'broken',
  'introduce',
  'mapped',
  'not-mapped',
  'exists',
  'domain-shutdown',
  'domain-gone',
  'answer',
  'second',
] as const satisfies readonly Entry['kind'][];
const numbers = new Map<Entry['kind'], number>(kinds.map((kind, number) => [kind, number]));

const faults = ['communication', 'indexes', 'protocol'] as const satisfies readonly RingFault[];

const errors = [
  'EINVAL',
  'EACCES',
  'EEXIST',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'EIO',
  'ENOSYS',
  'EBUSY',
  'EAGAIN',
  'E2BIG',
  'EPERM',
] as const satisfies readonly XenstoreError[];

const requestNumber = kinds.indexOf('request');

/** Writes a request: the one entry of which there are many. */
export function writeRequest(writer: ByteWriter, connection: ConnectionId, packet: Packet): void {
  writer.u8(requestNumber);
  writer.count(connection);
  writer.u32(packet.type);
  writer.u32(packet.requestId);
  writer.u32(packet.transactionId);
  writeBytes(writer, packet.payload);
}

function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.count(bytes.length);
  writer.bytes(bytes);
}

/** Writes an entry. */
export function writeEntry(writer: ByteWriter, entry: Entry): void {
  if (entry.kind === 'request') {
    writeRequest(writer, entry.connection, entry.packet);
    return;
  }
  writer.u8(numbers.get(entry.kind) ?? 0);
  switch (entry.kind) {
    case 'connect':
      writer.count(entry.connection);
      writer.u16(entry.domain);
      return;
    case 'disconnect':
    case 'reset':
    case 'ready':
    case 'zeroed':
      writer.count(entry.connection);
      return;
    case 'taken':
      writer.count(entry.connection);
      writer.count(entry.packets);
      return;
    case 'received':
      writer.count(entry.connection);
      writeBytes(writer, entry.bytes);
      return;
    case 'broken':
      writer.count(entry.connection);
      writer.u8(faults.indexOf(entry.fault));
      return;
    case 'introduce':
      writer.u16(entry.place.domain);
      writeBytes(writer, Buffer.from(String(entry.place.gfn)));
      writer.u32(entry.place.port);
      writer.u32(entry.place.features);
      return;
    case 'mapped':
      writer.count(entry.ticket);
      writer.count(entry.connection);
      writer.u32(entry.consumed);
      writer.u32(entry.produced);
      return;
    case 'not-mapped':
      writer.count(entry.ticket);
      writer.u8(errors.indexOf(entry.error));
      return;
    case 'exists':
      writer.u16(entry.domain);
      writer.u8(entry.exists ? 1 : 0);
      return;
    case 'domain-shutdown':
    case 'domain-gone':
      writer.u16(entry.domain);
      return;
    case 'answer': {
      const { ticket, answer } = entry;
      writer.count(ticket);
      writer.u8(answer.kind === 'text' ? errors.length : errors.indexOf(answer.error));
      if (answer.kind === 'text') writeBytes(writer, Buffer.from(answer.text, 'latin1'));
      return;
    }
    case 'second':
      return;
  }
}

/** Reads the next entry; null where there is none, or where the reader is broken by what there is. */
export function readEntry(reader: ByteReader): Entry | null {
  const entry = reader.left === 0 ? null : read(reader, kinds[reader.u8()]);
  return reader.broken ? null : entry;
}

function readBytes(reader: ByteReader): Uint8Array {
  return reader.bytes(reader.count());
}

function readError(reader: ByteReader, number: number): XenstoreError {
  const error = errors[number];
  if (error === undefined) reader.fail();
  return error ?? 'EIO';
}

function read(reader: ByteReader, kind: (typeof kinds)[number] | undefined): Entry | null {
  switch (kind) {
    case 'connect':
      return { kind, connection: reader.count(), domain: reader.u16() as DomainId };
    case 'disconnect':
    case 'reset':
    case 'ready':
    case 'zeroed':
      return { kind, connection: reader.count() };
    case 'request': {
      const connection = reader.count();
      const [type, requestId, transactionId] = [reader.u32(), reader.u32(), reader.u32()];
      const packet = { type, requestId, transactionId, payload: readBytes(reader) };
      return { kind, connection, packet };
    }
    case 'taken':
      return { kind, connection: reader.count(), packets: reader.count() };
    case 'received':
      return { kind, connection: reader.count(), bytes: readBytes(reader) };
    case 'broken': {
      const connection = reader.count();
      const fault = faults[reader.u8()];
      if (fault === undefined) reader.fail();
      return { kind, connection, fault: fault ?? 'protocol' };
    }
    case 'introduce': {
      const domain = reader.u16() as DomainId;
      const gfn = Number(Buffer.from(readBytes(reader)).toString());
      return { kind, place: { domain, gfn, port: reader.u32(), features: reader.u32() } };
    }
    case 'mapped':
      return {
        kind,
        ticket: reader.count(),
        connection: reader.count(),
        consumed: reader.u32(),
        produced: reader.u32(),
      };
    case 'not-mapped':
      return { kind, ticket: reader.count(), error: readError(reader, reader.u8()) };
    case 'exists':
      return { kind, domain: reader.u16() as DomainId, exists: reader.u8() !== 0 };
    case 'domain-shutdown':
    case 'domain-gone':
      return { kind, domain: reader.u16() as DomainId };
    case 'answer': {
      const ticket = reader.count();
      const number = reader.u8();
      if (number !== errors.length)
        return { kind, ticket, answer: { kind: 'refused', error: readError(reader, number) } };
      const text = Buffer.from(readBytes(reader)).toString('latin1');
      return { kind, ticket, answer: { kind: 'text', text } };
    }
    case 'second':
      return { kind };
    case undefined:
      reader.fail();
      return null;
  }
}
