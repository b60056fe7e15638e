import { unreachable } from '../../../base/assert.ts';
import type { ByteReader } from '../byte-reader.ts';
import type { ByteString } from '../byte-string.ts';
import type { ByteWriter } from '../byte-writer.ts';
import { readList, readRange, writeRange } from '../operation-codec.ts';
import type { AuthChange, RoleDescription, UserDescription } from './change.ts';
import type { Access, Permission } from './permission.ts';

/** Positions in these lists are part of the layout: append only. */
const accesses: readonly Access[] = ['read', 'write', 'readwrite'];
const changes: readonly AuthChange['kind'][] = [
  'enable',
  'disable',
  'add-user',
  'delete-user',
  'grant-role',
  'revoke-role',
  'add-role',
  'delete-role',
  'grant-permission',
  'revoke-permission',
  'found',
];

/** Writes a change of rights, its kind first. */
export function writeAuthChange(writer: ByteWriter, change: AuthChange): void {
  writer.u8(changes.indexOf(change.kind));
  switch (change.kind) {
    case 'enable':
    case 'disable':
      return;
    case 'add-user':
    case 'delete-user':
      writer.bytes(change.user);
      return;
    case 'grant-role':
    case 'revoke-role':
      writer.bytes(change.user);
      writer.bytes(change.role);
      return;
    case 'add-role':
    case 'delete-role':
      writer.bytes(change.role);
      return;
    case 'grant-permission':
      writer.bytes(change.role);
      writePermission(writer, change.permission);
      return;
    case 'revoke-permission':
      writer.bytes(change.role);
      writeRange(writer, change.range);
      return;
    case 'found':
      writer.varint(change.roles.length);
      for (const role of change.roles) writeRole(writer, role);
      writer.varint(change.users.length);
      for (const user of change.users) writeUser(writer, user);
      return;
    default:
      unreachable(change);
  }
}

/** Reads a change of rights; null where there is none of that kind. */
export function readAuthChange(reader: ByteReader): AuthChange | null {
  const kind = changes[reader.u8()];
  switch (kind) {
    case undefined:
      return null;
    case 'enable':
    case 'disable':
      return { kind };
    case 'add-user':
    case 'delete-user':
      return { kind, user: reader.bytes() };
    case 'grant-role':
    case 'revoke-role':
      return { kind, user: reader.bytes(), role: reader.bytes() };
    case 'add-role':
    case 'delete-role':
      return { kind, role: reader.bytes() };
    case 'grant-permission':
      return { kind, role: reader.bytes(), permission: readPermission(reader) };
    case 'revoke-permission':
      return { kind, role: reader.bytes(), range: readRange(reader) };
    case 'found':
      return {
        kind,
        roles: readList(reader, () => readRole(reader)),
        users: readList(reader, () => readUser(reader)),
      };
    default:
      return unreachable(kind);
  }
}

/** Writes a role with its permissions. */
export function writeRole(writer: ByteWriter, { name, permissions }: RoleDescription): void {
  writer.bytes(name);
  writer.varint(permissions.length);
  for (const permission of permissions) writePermission(writer, permission);
}

/** Reads what `writeRole` wrote. */
export function readRole(reader: ByteReader): RoleDescription {
  return { name: reader.bytes(), permissions: readList(reader, () => readPermission(reader)) };
}

/** Writes a user with the names of its roles. */
export function writeUser(writer: ByteWriter, { name, roles }: UserDescription): void {
  writer.bytes(name);
  writer.varint(roles.length);
  for (const role of roles) writer.bytes(role);
}

/** Reads what `writeUser` wrote. */
export function readUser(reader: ByteReader): UserDescription {
  const name: ByteString = reader.bytes();
  return { name, roles: readList(reader, () => reader.bytes()) };
}

function writePermission(writer: ByteWriter, { access, range }: Permission): void {
  writer.u8(accesses.indexOf(access));
  writeRange(writer, range);
}

function readPermission(reader: ByteReader): Permission {
  const access = accesses[reader.u8()];
  if (access === undefined) reader.fail();
  return { access: access ?? 'read', range: readRange(reader) };
}
