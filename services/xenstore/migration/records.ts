import { fail, ok, type Result } from '../../../base/result.ts';
import type { DomainId, Permission, Permissions } from '../core/permissions.ts';
import { firstReservedDomain, formatPermission } from '../core/permissions.ts';
import { ByteReader, type ByteWriter } from './bytes.ts';

/**
 * The records of Xen's migration stream, versions 1 and 2, as they are on the wire.
 * Source: docs/designs/xenstore-migration.md, tools/xenstored/xenstore_state.h.
 */

/** DOMID_INVALID of xen.h: here, no target. */
export const noDomain = 0x7ff4;

/** The depth of a watch that reaches all that is below. */
export const unlimitedDepth = 0xffff;

/** The bits of `access` of a node that belongs to a transaction. */
export const accesses = { read: 1, written: 2 } as const;

/** How a connection is made. */
export type ConnectionSpec =
  | {
      readonly kind: 'ring';
      readonly domain: number;
      /** The domain that it acts for; `noDomain` where there is none. */
      readonly target: number;
      /** xenstored's own port of the event channel. */
      readonly port: number;
    }
  | { readonly kind: 'socket'; readonly descriptor: number };

/** A value and the name of its quota. */
export type QuotaValue = readonly [name: string, value: number];

/** One record. Texts have a character for each byte. */
export type StreamRecord =
  | { readonly kind: 'global'; readonly socket: number; readonly eventChannels: number }
  | {
      readonly kind: 'connection';
      readonly id: number;
      readonly spec: ConnectionSpec;
      /** Read and not handled. */
      readonly received: Uint8Array;
      /** Not written, of which the first `partial` bytes are the rest of a packet. */
      readonly unsent: Uint8Array;
      readonly partial: number;
      readonly uniqueId: bigint | null;
    }
  | {
      readonly kind: 'watch';
      readonly connection: number;
      readonly path: string;
      readonly token: string;
      /** Null in version 1, which knows no depth. */
      readonly depth: number | null;
    }
  | { readonly kind: 'transaction'; readonly connection: number; readonly id: number }
  | {
      readonly kind: 'node';
      /** Of the transaction that has it, in the connection of this id; 0 for the tree of all. */
      readonly connection: number;
      readonly transaction: number;
      readonly access: number;
      readonly path: string;
      readonly value: Uint8Array;
      /** Null for one that the transaction has removed. */
      readonly permissions: Permissions | null;
    }
  | {
      readonly kind: 'global-quota';
      readonly domains: readonly QuotaValue[];
      readonly globals: readonly QuotaValue[];
    }
  | {
      readonly kind: 'domain';
      readonly domain: number;
      /** Only of version 2; 0 in version 1. */
      readonly features: number;
      readonly quotas: readonly QuotaValue[];
    };

const types: Readonly<Record<StreamRecord['kind'], number>> = {
  global: 1,
  connection: 2,
  watch: 3,
  transaction: 4,
  node: 5,
  'global-quota': 6,
  domain: 7,
};
const extendedWatch = 8;

/** The number of a record's type. */
export function typeOf(record: StreamRecord): number {
  return record.kind === 'watch' && record.depth !== null ? extendedWatch : types[record.kind];
}

/** Writes the body of a record, without padding at its end. */
export function writeBody(writer: ByteWriter, record: StreamRecord): void {
  switch (record.kind) {
    case 'global':
      writer.i32(record.socket);
      writer.i32(record.eventChannels);
      return;
    case 'connection':
      writeConnection(writer, record);
      return;
    case 'watch':
      writer.u32(record.connection);
      writer.u16(record.path.length + 1);
      writer.u16(record.token.length + 1);
      if (record.depth !== null) {
        writer.u16(record.depth);
        writer.u16(0);
      }
      writer.text(`${record.path}\0${record.token}\0`);
      return;
    case 'transaction':
      writer.u32(record.connection);
      writer.u32(record.id);
      return;
    case 'node':
      writeNode(writer, record);
      return;
    case 'global-quota':
      writer.u16(record.domains.length);
      writer.u16(record.globals.length);
      writeQuotas(writer, [...record.domains, ...record.globals]);
      return;
    case 'domain':
      writer.u16(record.domain);
      writer.u16(record.quotas.length);
      writer.u32(record.features);
      writeQuotas(writer, record.quotas);
      return;
  }
}

type Of<Kind extends StreamRecord['kind']> = Extract<StreamRecord, { readonly kind: Kind }>;

function writeConnection(writer: ByteWriter, record: Of<'connection'>): void {
  const { id, spec, received, unsent, partial, uniqueId } = record;
  const start = writer.length;
  writer.u32(id);
  writer.u16(spec.kind === 'ring' ? 0 : 1);
  writer.u16(uniqueId === null ? 0 : 1);
  if (spec.kind === 'ring') {
    writer.u16(spec.domain);
    writer.u16(spec.target);
    writer.u32(spec.port);
  } else {
    writer.i32(spec.descriptor);
    writer.u32(0);
  }
  writer.u16(received.length);
  writer.u16(partial);
  writer.u32(unsent.length);
  writer.bytes(received);
  writer.bytes(unsent);
  if (uniqueId === null) return;
  while ((writer.length - start) % 8 !== 0) writer.u8(0);
  writer.u32(Number(uniqueId & 0xffffffffn));
  writer.u32(Number(uniqueId >> 32n));
}

function writeNode(writer: ByteWriter, record: Of<'node'>): void {
  const { path, value, permissions } = record;
  writer.u32(record.connection);
  writer.u32(record.transaction);
  writer.u16(path.length + 1);
  writer.u16(value.length);
  writer.u16(record.access);
  writer.u16(permissions?.length ?? 0);
  for (const entry of permissions ?? []) writePermission(writer, entry);
  writer.text(`${path}\0`);
  writer.bytes(value);
}

/** Writes an entry of permissions: a letter, flags, a domid. */
export function writePermission(writer: ByteWriter, entry: Permission): void {
  writer.text(formatPermission(entry).charAt(0));
  writer.u8(entry.stale === true ? 1 : 0);
  writer.u16(entry.domain);
}

function writeQuotas(writer: ByteWriter, quotas: readonly QuotaValue[]): void {
  for (const [, value] of quotas) writer.u32(value);
  for (const [name] of quotas) writer.text(`${name}\0`);
}

/**
 * Reads the body of a record of a type; null for a type that this release does not know, which is to
 * be passed over. The failure says what is wrong.
 */
export function readBody(
  type: number,
  body: Uint8Array,
  version: number,
): Result<StreamRecord | null, string> {
  const reader = new ByteReader(body);
  const record = read(reader, type, version);
  if (reader.broken) return fail(`a record of type ${type} and ${body.length} bytes`);
  return ok(record);
}

function read(reader: ByteReader, type: number, version: number): StreamRecord | null {
  switch (type) {
    case types.global:
      return { kind: 'global', socket: reader.i32(), eventChannels: reader.i32() };
    case types.connection:
      return readConnection(reader);
    case types.watch:
      return readWatch(reader, false);
    case extendedWatch:
      if (version < 2) return null;
      return readWatch(reader, true);
    case types.transaction:
      return { kind: 'transaction', connection: reader.u32(), id: reader.u32() };
    case types.node:
      return readNode(reader);
    case types['global-quota']: {
      const domains = reader.u16();
      const all = readQuotas(reader, domains + reader.u16());
      return { kind: 'global-quota', domains: all.slice(0, domains), globals: all.slice(domains) };
    }
    case types.domain: {
      const [domain, count, features] = [reader.u16(), reader.u16(), reader.u32()];
      const quotas = readQuotas(reader, count);
      return { kind: 'domain', domain, features: version < 2 ? 0 : features, quotas };
    }
    default:
      return null;
  }
}

function readConnection(reader: ByteReader): StreamRecord {
  const whole = reader.left;
  const [id, type, fields] = [reader.u32(), reader.u16(), reader.u16()];
  if (id === 0 || type > 1) reader.fail();
  const spec: ConnectionSpec =
    type === 0
      ? { kind: 'ring', domain: reader.u16(), target: reader.u16(), port: reader.u32() }
      : { kind: 'socket', descriptor: reader.i32() };
  if (type === 1) reader.u32();
  const [receivedLength, partial, unsentLength] = [reader.u16(), reader.u16(), reader.u32()];
  if (partial > unsentLength) reader.fail();
  const received = reader.bytes(receivedLength).slice();
  const unsent = reader.bytes(unsentLength).slice();
  let uniqueId: bigint | null = null;
  if ((fields & 1) !== 0) {
    while ((whole - reader.left) % 8 !== 0 && !reader.broken) reader.u8();
    uniqueId = BigInt(reader.u32()) + (BigInt(reader.u32()) << 32n);
  }
  return { kind: 'connection', id, spec, received, unsent, partial, uniqueId };
}

/** A text of so many bytes, the last of which, and no other, is NUL. */
function readString(reader: ByteReader, length: number): string {
  const text = reader.text(length);
  if (text.indexOf('\0') !== length - 1) reader.fail();
  return text.slice(0, -1);
}

function readWatch(reader: ByteReader, extended: boolean): StreamRecord {
  const [connection, pathLength, tokenLength] = [reader.u32(), reader.u16(), reader.u16()];
  const depth = extended ? reader.u16() : null;
  if (extended) reader.u16();
  const path = readString(reader, pathLength);
  return { kind: 'watch', connection, path, token: readString(reader, tokenLength), depth };
}

function readNode(reader: ByteReader): StreamRecord {
  const [connection, transaction] = [reader.u32(), reader.u32()];
  const [pathLength, valueLength, access, count] = [
    reader.u16(),
    reader.u16(),
    reader.u16(),
    reader.u16(),
  ];
  if (connection === 0 && count === 0) reader.fail();
  const permissions = readPermissions(reader, count);
  const path = readString(reader, pathLength);
  const value = reader.bytes(valueLength).slice();
  return { kind: 'node', connection, transaction, access, path, value, permissions };
}

/** Reads so many entries; null for none. */
export function readPermissions(reader: ByteReader, count: number): Permissions | null {
  if (count * 4 > reader.left) reader.fail();
  if (reader.broken) return null;
  const [first, ...rest] = Array.from({ length: count }, () => readPermission(reader));
  return first === undefined ? null : [first, ...rest];
}

function readPermission(reader: ByteReader): Permission {
  const letter = reader.text(1);
  const stale = (reader.u8() & 1) !== 0;
  const domain = reader.u16() as DomainId;
  if (!/^[nrwb]$/.test(letter) || domain > firstReservedDomain + 0xf) reader.fail();
  const read = letter === 'r' || letter === 'b';
  const write = letter === 'w' || letter === 'b';
  return stale ? { domain, read, write, stale: true } : { domain, read, write };
}

function readQuotas(reader: ByteReader, count: number): readonly QuotaValue[] {
  // A value of four bytes, and a name that is at least its NUL.
  if (count * 5 > reader.left) reader.fail();
  if (reader.broken) return [];
  const values = Array.from({ length: count }, () => reader.u32());
  const names = reader.text(reader.left).split('\0');
  if (names.length <= count) reader.fail();
  return values.map((value, index) => [names[index] ?? '', value]);
}
