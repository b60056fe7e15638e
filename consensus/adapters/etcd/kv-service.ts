import { ok } from '../../../base/result.ts';
import type { KV } from '../../../proto/gen/etcdserverpb.ts';
import type { Operation } from '../../kv/request.ts';
import { isReadOnly, validate } from '../../kv/validate.ts';
import { type Served, storeFailure } from './failures.ts';
import { freeCompacted } from './housekeeping.ts';
import { type LeanHandlers, unary } from './lean-service.ts';
import type { EtcdMember } from './member.ts';
import {
  deleteRequest,
  isSerializable,
  putRequest,
  rangeRequest,
  revision,
  txnRequest,
} from './requests.ts';
import {
  deleteResponse,
  largeRangeResponse,
  putResponse,
  rangeResponse,
  txnResponse,
} from './responses.ts';
import { inTurns } from './turns.ts';

/** An answer with as many keys is encoded in turns. */
const keysInTurns = 1000;

/** etcd's KV service: reads here once they are linearizable, writes through the log. */
export function kvService(member: EtcdMember): LeanHandlers<KV> {
  const { store, encodedHeader } = member;
  return {
    range: unary(async (wire) => {
      const request = rangeRequest(wire);
      if (!request.ok) return request;
      const valid = check(request.value);
      if (!valid.ok) return valid;
      if (!wire.serializable) {
        const current = await member.readBarrier();
        if (!current.ok) return current;
      }
      const reply = store.range(request.value);
      if (!reply.ok) return storeFailure(reply.error);
      if (reply.value.versions.length < keysInTurns)
        return ok(rangeResponse(reply.value, encodedHeader));
      return ok(await inTurns(largeRangeResponse(reply.value, encodedHeader)));
    }),
    put: unary(async (wire) => {
      const request = putRequest(wire);
      const valid = check(request);
      if (!valid.ok) return valid;
      const reply = await member.propose<'put'>(request);
      return reply.ok ? ok(putResponse(reply.value, encodedHeader)) : reply;
    }),
    deleteRange: unary(async (wire) => {
      const request = deleteRequest(wire);
      const valid = check(request);
      if (!valid.ok) return valid;
      const reply = await member.propose<'delete'>(request);
      return reply.ok ? ok(deleteResponse(reply.value, encodedHeader)) : reply;
    }),
    txn: unary(async (wire) => {
      const request = txnRequest(wire);
      if (!request.ok) return request;
      const valid = check(request.value);
      if (!valid.ok) return valid;
      if (!isReadOnly(request.value)) {
        const reply = await member.propose<'txn'>(request.value);
        return reply.ok ? ok(txnResponse(reply.value, encodedHeader)) : reply;
      }
      if (!isSerializable(wire)) {
        const current = await member.readBarrier();
        if (!current.ok) return current;
      }
      const reply = store.readTxn(request.value);
      return reply.ok ? ok(txnResponse(reply.value, encodedHeader)) : storeFailure(reply.error);
    }),
    compact: unary(async (wire) => {
      const reply = await member.propose<'compact'>({
        kind: 'compact',
        revision: revision(wire.revision),
      });
      if (!reply.ok) return reply;
      const freed = freeCompacted(store);
      if (wire.physical) await freed;
      return ok({ header: member.header(reply.value.revision) });
    }),
  };
}

function check(operation: Operation): Served<void> {
  const refusal = validate(operation);
  return refusal === null ? ok(undefined) : storeFailure(refusal);
}
