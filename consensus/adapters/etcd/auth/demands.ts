import { ok } from '../../../../base/result.ts';
import type {
  AlarmRequest,
  AuthRoleGetRequest,
  AuthUserGetRequest,
  DeleteRangeRequest,
  LeaseRevokeRequest,
  LeaseTimeToLiveRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from '../../../../proto/gen/etcdserverpb.ts';
import type { Demand } from '../../../kv/auth/rights.ts';
import { textBytes } from '../../../kv/byte-string.ts';
import type { LeaseId } from '../../../kv/version.ts';
import type { Served } from '../failures.ts';
import { deleteRequest, putRequest, rangeRequest, txnRequest } from '../requests.ts';

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
  range: (wire: RangeRequest) => rangeRequest(wire),
  put: (wire: PutRequest) => ok(putRequest(wire)),
  deleteRange: (wire: DeleteRangeRequest) => ok(deleteRequest(wire)),
  txn: (wire: TxnRequest) => txnRequest(wire),
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
