import { unreachable } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { readAlarm, readAlarms, writeAlarms } from './alarm-codec.ts';
import { readAuthChange, writeAuthChange } from './auth/codec.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readList, readOperation, writeOperation } from './operation-codec.ts';
import type { Command, PlainCommand } from './request.ts';
import type { LeaseId, Revision } from './version.ts';

/**
 * The first byte of a command. 1 to 15 are operations, as in `operation-codec.ts`. A number is
 * never given to something else: logs that older members wrote must stay readable.
 */
const kinds = {
  compact: 16,
  grant: 17,
  revoke: 18,
  renew: 19,
  expire: 20,
  describe: 21,
  raise: 22,
  clear: 23,
  auth: 24,
  asked: 25,
} as const;

/** Where every command is written before it is copied out: a buffer for each would cost more. */
const writer = new ByteWriter();

/** Encodes a command for the log. */
export function encodeCommand(command: Command): Buffer {
  if (command.kind === 'asked') {
    writer.u8(kinds.asked);
    writer.bytes(command.user);
    writePlain(command.command);
  } else writePlain(command);
  return writer.finish();
}

function writePlain(command: PlainCommand): void {
  switch (command.kind) {
    case 'put':
    case 'delete':
    case 'txn':
      writeOperation(writer, command);
      break;
    case 'compact':
      writer.u8(kinds.compact);
      writer.varint(command.revision);
      break;
    case 'grant':
      writer.u8(kinds.grant);
      writer.i64(command.id);
      writer.varint(command.ttl);
      break;
    case 'revoke':
      writer.u8(kinds.revoke);
      writer.i64(command.id);
      break;
    case 'renew':
      writer.u8(kinds.renew);
      writer.varint(command.ids.length);
      for (const id of command.ids) writer.i64(id);
      break;
    case 'expire':
      writer.u8(kinds.expire);
      writer.varint(command.leases.length);
      for (const { id, renewals } of command.leases) {
        writer.i64(id);
        writer.varint(renewals);
      }
      break;
    case 'describe':
      writer.u8(kinds.describe);
      writer.varint(command.member);
      writer.bytes(command.name);
      writer.varint(command.clientUrls.length);
      for (const url of command.clientUrls) writer.bytes(url);
      break;
    case 'raise':
      writer.u8(kinds.raise);
      writeAlarms(writer, command.alarm);
      break;
    case 'clear':
      writer.u8(kinds.clear);
      writeAlarms(writer, command.alarms);
      break;
    case 'auth':
      writer.u8(kinds.auth);
      writeAuthChange(writer, command.change);
      break;
    default:
      unreachable(command);
  }
}

/** Reads a command of the log. The failure says what about the bytes is wrong. */
export function decodeCommand(bytes: Uint8Array): Result<Command, string> {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  const command = kind === kinds.asked ? readAsked(reader) : readPlain(reader, kind);
  if (command === null) return fail(`no command is of kind ${kind}; a newer version wrote it`);
  if (!reader.isAtEnd) return fail(`a command of kind ${kind} has too few or too many bytes`);
  return ok(command);
}

function readAsked(reader: ByteReader): Command | null {
  const user = reader.bytes();
  const command = readPlain(reader, reader.u8());
  return command === null ? null : { kind: 'asked', user, command };
}

function readPlain(reader: ByteReader, kind: number): PlainCommand | null {
  switch (kind) {
    case kinds.compact:
      return { kind: 'compact', revision: reader.varint() as Revision };
    case kinds.grant:
      return { kind: 'grant', id: reader.i64() as LeaseId, ttl: reader.varint() };
    case kinds.revoke:
      return { kind: 'revoke', id: reader.i64() as LeaseId };
    case kinds.renew:
      return { kind: 'renew', ids: readList(reader, () => reader.i64() as LeaseId) };
    case kinds.expire:
      return {
        kind: 'expire',
        leases: readList(reader, () => ({
          id: reader.i64() as LeaseId,
          renewals: reader.varint(),
        })),
      };
    case kinds.describe:
      return {
        kind: 'describe',
        member: reader.varint(),
        name: reader.bytes(),
        clientUrls: readList(reader, () => reader.bytes()),
      };
    case kinds.raise: {
      const alarm = readAlarm(reader);
      return alarm === null ? null : { kind: 'raise', alarm };
    }
    case kinds.clear:
      return { kind: 'clear', alarms: readAlarms(reader) };
    case kinds.auth: {
      const change = readAuthChange(reader);
      return change === null ? null : { kind: 'auth', change };
    }
    default: {
      const operation = readOperation(reader, kind);
      return operation === null || operation.kind === 'range' ? null : operation;
    }
  }
}
