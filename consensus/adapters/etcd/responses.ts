import { unreachable } from '../../../base/assert.ts';
import type {
  DeleteReply,
  OperationReply,
  PutReply,
  RangeReply,
  TxnReply,
} from '../../kv/reply.ts';
import type { Turns } from '../../kv/state-hash.ts';
import { isTombstone, type Revision, type Version } from '../../kv/version.ts';
import { bytesSize, int64Size, messageSize, numberSize, WireWriter } from './wire-writer.ts';

/**
 * The store's answers as etcd's messages, encoded: the numbers are those of `proto/etcd/rpc.proto`
 * and `kv.proto`, and a test compares every message with what protobufjs makes of those files.
 */

/** The header of a response about a revision, encoded. */
export type HeaderOf = (revision: Revision) => Uint8Array;

/** Within a transaction, only the revision of a header is given, as etcd does. */
const innerHeader: HeaderOf = (revision) => {
  const writer = new WireWriter();
  writer.number(3, revision);
  return writer.finish();
};

/** A transaction within another has a header without anything in it. */
const emptyHeader: HeaderOf = () => new Uint8Array();

/** `header` is what is the same in all headers of a member; term and revision differ. */
export function encodeHeader(
  clusterId: bigint,
  memberId: number,
  revision: Revision,
  term: number,
): Buffer {
  const writer = new WireWriter();
  writer.int64(1, clusterId);
  writer.number(2, memberId);
  writer.number(3, revision);
  writer.number(4, term);
  return writer.finish();
}

/** RangeResponse. */
export function rangeResponse(reply: RangeReply, header: HeaderOf): Buffer {
  const writer = begin(header(reply.revision));
  for (const version of reply.versions) writeKeyValue(writer, 2, version, reply.keysOnly);
  writer.flag(3, reply.more);
  writer.number(4, reply.count);
  return writer.finish();
}

/** Bytes of a large answer that are counted or written in one turn: a millisecond at most. */
const turnBytes = 256 * 2 ** 10;

/** RangeResponse of many keys, in turns: a leader that is silent for longer is taken for dead. */
export function* largeRangeResponse(reply: RangeReply, header: HeaderOf): Turns<Buffer> {
  const start = begin(header(reply.revision)).finish();
  let size = start.length + numberSize(1) + numberSize(reply.count);
  let turn = size + turnBytes;
  for (const version of reply.versions) {
    size += messageSize(keyValueSize(version, reply.keysOnly));
    if (size < turn) continue;
    turn = size + turnBytes;
    yield;
  }
  const writer = new WireWriter(size);
  writer.raw(start);
  turn = turnBytes;
  for (const version of reply.versions) {
    writeKeyValue(writer, 2, version, reply.keysOnly);
    if (writer.length < turn) continue;
    turn = writer.length + turnBytes;
    yield;
  }
  writer.flag(3, reply.more);
  writer.number(4, reply.count);
  return writer.flush();
}

/** PutResponse. */
export function putResponse(reply: PutReply, header: HeaderOf): Buffer {
  const writer = begin(header(reply.revision));
  if (reply.previous !== null) writeKeyValue(writer, 2, reply.previous, false);
  return writer.finish();
}

/** DeleteRangeResponse. */
export function deleteResponse(reply: DeleteReply, header: HeaderOf): Buffer {
  const writer = begin(header(reply.revision));
  writer.number(2, reply.deleted);
  for (const version of reply.previous) writeKeyValue(writer, 3, version, false);
  return writer.finish();
}

/** TxnResponse. */
export function txnResponse(reply: TxnReply, header: HeaderOf): Buffer {
  const writer = begin(header(reply.revision));
  writer.flag(2, reply.succeeded);
  for (const each of reply.replies) {
    const [field, response] = operationResponse(each);
    writer.message(3, messageSize(response.length));
    writer.message(field, response.length);
    writer.raw(response);
  }
  return writer.finish();
}

/** The field of ResponseOp, and the message in it. */
function operationResponse(reply: OperationReply): [number, Buffer] {
  switch (reply.kind) {
    case 'range':
      return [1, rangeResponse(reply, innerHeader)];
    case 'put':
      return [2, putResponse(reply, innerHeader)];
    case 'delete':
      return [3, deleteResponse(reply, innerHeader)];
    case 'txn':
      return [4, txnResponse(reply, emptyHeader)];
    default:
      return unreachable(reply);
  }
}

/** What a WatchResponse with changes says. */
export interface WatchChanges {
  readonly header: Uint8Array;
  readonly watchId: bigint;
  /** More of the same revision follows. */
  readonly fragment: boolean;
  readonly versions: readonly Version[];
  /** The oldest revision of which a previous value may be told; null where none is to be. */
  readonly previousSince: Revision | null;
}

/** WatchResponse with changes. */
export function watchResponse(changes: WatchChanges): Buffer {
  const writer = begin(changes.header);
  writer.int64(2, changes.watchId);
  writer.flag(7, changes.fragment);
  for (const version of changes.versions) writeEvent(writer, version, changes.previousSince);
  return writer.finish();
}

/** One change, as the field `events` (11). */
function writeEvent(writer: WireWriter, version: Version, previousSince: Revision | null): void {
  const previous = toldPrevious(version, previousSince);
  const type = isTombstone(version) ? 1 : 0;
  const size =
    numberSize(type) +
    messageSize(keyValueSize(version, false)) +
    (previous === null ? 0 : messageSize(keyValueSize(previous, false)));
  writer.message(11, size);
  writer.number(1, type);
  writeKeyValue(writer, 2, version, false);
  if (previous !== null) writeKeyValue(writer, 3, previous, false);
}

function toldPrevious({ previous, modRevision }: Version, since: Revision | null): Version | null {
  if (since === null || previous === null || isTombstone(previous)) return null;
  return modRevision - 1 >= since ? previous : null;
}

function begin(header: Uint8Array): WireWriter {
  const writer = new WireWriter();
  writer.message(1, header.length);
  writer.raw(header);
  return writer;
}

/** A tombstone is its key and its revision: the rest is zero. */
function writeKeyValue(
  writer: WireWriter,
  field: number,
  version: Version,
  keyOnly: boolean,
): void {
  writer.message(field, keyValueSize(version, keyOnly));
  writer.bytes(1, version.key);
  writer.number(2, version.createRevision);
  writer.number(3, version.modRevision);
  writer.number(4, version.version);
  if (!keyOnly) writer.bytes(5, version.value);
  writer.int64(6, version.lease);
}

function keyValueSize(version: Version, keyOnly: boolean): number {
  return (
    bytesSize(version.key.length) +
    numberSize(version.createRevision) +
    numberSize(version.modRevision) +
    numberSize(version.version) +
    (keyOnly ? 0 : bytesSize(version.value.length)) +
    int64Size(version.lease)
  );
}
