import { unreachable } from '../../../base/assert.ts';
import type { Input } from '../../../proto/codec.ts';
import type {
  DeleteRangeResponse,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  ResponseOp,
  TxnResponse,
} from '../../../proto/gen/etcdserverpb.ts';
import type { Event, KeyValue } from '../../../proto/gen/mvccpb.ts';
import { bufferOf } from '../../kv/byte-string.ts';
import type {
  DeleteReply,
  OperationReply,
  PutReply,
  RangeReply,
  TxnReply,
} from '../../kv/reply.ts';
import { isTombstone, type Revision, type Version } from '../../kv/version.ts';

/** The store's answers in etcd's messages. */

/** Makes the header of a response, given the revision that the answer is of. */
export type HeaderOf = (revision: Revision) => Input<ResponseHeader>;

export function rangeResponse(reply: RangeReply, header: HeaderOf): Input<RangeResponse> {
  return {
    header: header(reply.revision),
    kvs: reply.versions.map((version) => keyValue(version, reply.keysOnly)),
    more: reply.more,
    count: BigInt(reply.count),
  };
}

export function putResponse(reply: PutReply, header: HeaderOf): Input<PutResponse> {
  return { header: header(reply.revision), prevKv: optional(reply.previous) };
}

export function deleteResponse(reply: DeleteReply, header: HeaderOf): Input<DeleteRangeResponse> {
  return {
    header: header(reply.revision),
    deleted: BigInt(reply.deleted),
    prevKvs: reply.previous.map((version) => keyValue(version)),
  };
}

export function txnResponse(reply: TxnReply, header: HeaderOf): Input<TxnResponse> {
  return {
    header: header(reply.revision),
    succeeded: reply.succeeded,
    responses: reply.replies.map(operationResponse),
  };
}

/** Within a transaction, only the revision of a header is given, as etcd does. */
function operationResponse(reply: OperationReply): Input<ResponseOp> {
  const header: HeaderOf = (revision) => ({ revision: BigInt(revision) });
  switch (reply.kind) {
    case 'range':
      return { responseRange: rangeResponse(reply, header) };
    case 'put':
      return { responsePut: putResponse(reply, header) };
    case 'delete':
      return { responseDeleteRange: deleteResponse(reply, header) };
    case 'txn':
      return { responseTxn: txnResponse(reply, header) };
    default:
      return unreachable(reply);
  }
}

/**
 * A change as a watch shows it. `previousSince` is the oldest revision of which a previous value may
 * be told; null where the watch did not ask for it.
 */
export function watchEvent(version: Version, previousSince: Revision | null): Input<Event> {
  const { previous } = version;
  const isTold =
    previousSince !== null &&
    previous !== null &&
    !isTombstone(previous) &&
    version.modRevision - 1 >= previousSince;
  const prevKv = isTold ? keyValue(previous) : null;
  if (!isTombstone(version)) return { type: 'PUT', kv: keyValue(version), prevKv };
  const kv = { key: bufferOf(version.key), modRevision: BigInt(version.modRevision) };
  return { type: 'DELETE', kv, prevKv };
}

function optional(version: Version | null): Input<KeyValue> | null {
  return version === null ? null : keyValue(version);
}

function keyValue(version: Version, keyOnly = false): Input<KeyValue> {
  return {
    key: bufferOf(version.key),
    createRevision: BigInt(version.createRevision),
    modRevision: BigInt(version.modRevision),
    version: BigInt(version.version),
    value: keyOnly ? null : bufferOf(version.value),
    lease: version.lease,
  };
}
