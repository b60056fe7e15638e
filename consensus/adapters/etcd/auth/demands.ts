import { ok } from '../../../../base/result.ts';
import type {
  AlarmRequest,
  AuthRoleGetRequest,
  AuthUserGetRequest,
  Compare,
  DeleteRangeRequest,
  LeaseRevokeRequest,
  LeaseTimeToLiveRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../../../../proto/gen/etcdserverpb.ts';
import type { Demand } from '../../../kv/auth/rights.ts';
import { byteString, emptyBytes, textBytes } from '../../../kv/byte-string.ts';
import { type KeyRange, keyRange } from '../../../kv/key-range.ts';
import type * as store from '../../../kv/request.ts';
import type { LeaseId } from '../../../kv/version.ts';
import type { Served } from '../failures.ts';
import { deleteRequest, rangeRequest } from '../requests.ts';

/** What a request asks for; null: what every caller that has a name is served. */
export type DemandOf<Request> = (request: Request) => Served<Demand | null>;

const administer: Demand = { kind: 'administer' };
const haveLeases: Demand = { kind: 'grant' };

/** About the whole store: for users with the role `root`. */
export const forRoot = (): Served<Demand> => ok(administer);

/** For everybody with a certificate. */
export const forAnybody = (): Served<null> => ok(null);

/** For every user that there is. */
export const forUsers = (): Served<Demand> => ok(haveLeases);

/** What the requests of each method ask for whose answer depends on the request. */
export const demands = {
  range: (wire: RangeRequest) => ok<Demand>({ kind: 'read', range: rangeOf(wire) }),
  put: (wire: PutRequest) => ok(putOf(wire)),
  deleteRange: (wire: DeleteRangeRequest) => ok(deleteRequest(wire)),
  txn: (wire: TxnRequest) => txnOf(wire),
  leaseRevoke: (wire: LeaseRevokeRequest) =>
    ok<Demand>({ kind: 'lease-write', id: wire.ID as LeaseId }),
  leaseTimeToLive: (wire: LeaseTimeToLiveRequest) =>
    ok<Demand>(wire.keys ? { kind: 'lease-read', id: wire.ID as LeaseId } : haveLeases),
  alarm: (wire: AlarmRequest) => ok(wire.action === 'GET' ? null : administer),
  userGet: (wire: AuthUserGetRequest) =>
    ok<Demand>({ kind: 'look-at-user', user: textBytes(wire.name) }),
  roleGet: (wire: AuthRoleGetRequest) =>
    ok<Demand>({ kind: 'look-at-role', role: textBytes(wire.role) }),
} as const;

function rangeOf(wire: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array }): KeyRange {
  return keyRange(byteString(wire.key), byteString(wire.rangeEnd));
}

/** Values do not count, and may be large: they are left out. */
function putOf({ key, lease, prevKv }: PutRequest): store.PutRequest {
  return {
    kind: 'put',
    key: byteString(key),
    value: emptyBytes,
    lease: lease as LeaseId,
    withPrevious: prevKv,
    ignoreValue: false,
    ignoreLease: false,
  };
}

/** What a compare compares with does not count. */
const anything: store.Compare['operand'] = { target: 'version', number: 0 };

function compareOf(wire: Compare): store.Compare {
  return { range: rangeOf(wire), operator: 'equal', operand: anything };
}

function txnOf({ compare, success, failure }: TxnRequest): Served<store.TxnRequest> {
  const branches: store.Operation[][] = [];
  for (const branch of [success, failure]) {
    const operations: store.Operation[] = [];
    for (const wire of branch) {
      const operation = operationOf(wire);
      if (!operation.ok) return operation;
      if (operation.value !== null) operations.push(operation.value);
    }
    branches.push(operations);
  }
  const [taken = [], otherwise = []] = branches;
  return ok({
    kind: 'txn',
    compares: compare.map(compareOf),
    success: taken,
    failure: otherwise,
  });
}

/** Null: one that is empty, which the service refuses. */
function operationOf(wire: RequestOp): Served<store.Operation | null> {
  if (wire.requestPut !== undefined) return ok(putOf(wire.requestPut));
  if (wire.requestRange !== undefined) return rangeRequest(wire.requestRange);
  if (wire.requestDeleteRange !== undefined) return ok(deleteRequest(wire.requestDeleteRange));
  return wire.requestTxn === undefined ? ok(null) : txnOf(wire.requestTxn);
}
