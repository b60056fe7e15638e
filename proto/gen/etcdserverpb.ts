// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType, ServiceType } from '../codec.ts';
import type * as authpb from './authpb.ts';
import type * as mvccpb from './mvccpb.ts';

export interface KV {
  /** Reads keys, now or at an earlier revision. */
  readonly range: {
    readonly kind: 'unary';
    readonly request: RangeRequest;
    readonly response: RangeResponse;
  };
  /** Writes one key; the store's revision grows by 1. */
  readonly put: {
    readonly kind: 'unary';
    readonly request: PutRequest;
    readonly response: PutResponse;
  };
  /** Deletes keys, all at one revision. */
  readonly deleteRange: {
    readonly kind: 'unary';
    readonly request: DeleteRangeRequest;
    readonly response: DeleteRangeResponse;
  };
  /** Compares, and then does one of two lists of operations, at one revision. A key may be put once. */
  readonly txn: {
    readonly kind: 'unary';
    readonly request: TxnRequest;
    readonly response: TxnResponse;
  };
  /** Gives up what only reads of older revisions need. */
  readonly compact: {
    readonly kind: 'unary';
    readonly request: CompactionRequest;
    readonly response: CompactionResponse;
  };
}
export const KV: ServiceType<KV> = {
  name: 'etcdserverpb.KV',
  file: 'etcd/rpc.proto',
  methods: {
    Range: 'unary',
    Put: 'unary',
    DeleteRange: 'unary',
    Txn: 'unary',
    Compact: 'unary',
  },
};

export interface Watch {
  /** Opens and cancels any number of watches on one stream. Each shows every change, in order, once. */
  readonly watch: {
    readonly kind: 'bidi-stream';
    readonly request: WatchRequest;
    readonly response: WatchResponse;
  };
}
export const Watch: ServiceType<Watch> = {
  name: 'etcdserverpb.Watch',
  file: 'etcd/rpc.proto',
  methods: {
    Watch: 'bidi-stream',
  },
};

export interface Lease {
  readonly leaseGrant: {
    readonly kind: 'unary';
    readonly request: LeaseGrantRequest;
    readonly response: LeaseGrantResponse;
  };
  /** Ends a lease now, and deletes its keys. */
  readonly leaseRevoke: {
    readonly kind: 'unary';
    readonly request: LeaseRevokeRequest;
    readonly response: LeaseRevokeResponse;
  };
  /** Each message renews a lease for its whole TTL. */
  readonly leaseKeepAlive: {
    readonly kind: 'bidi-stream';
    readonly request: LeaseKeepAliveRequest;
    readonly response: LeaseKeepAliveResponse;
  };
  readonly leaseTimeToLive: {
    readonly kind: 'unary';
    readonly request: LeaseTimeToLiveRequest;
    readonly response: LeaseTimeToLiveResponse;
  };
  readonly leaseLeases: {
    readonly kind: 'unary';
    readonly request: LeaseLeasesRequest;
    readonly response: LeaseLeasesResponse;
  };
}
export const Lease: ServiceType<Lease> = {
  name: 'etcdserverpb.Lease',
  file: 'etcd/rpc.proto',
  methods: {
    LeaseGrant: 'unary',
    LeaseRevoke: 'unary',
    LeaseKeepAlive: 'bidi-stream',
    LeaseTimeToLive: 'unary',
    LeaseLeases: 'unary',
  },
};

export interface Cluster {
  readonly memberAdd: {
    readonly kind: 'unary';
    readonly request: MemberAddRequest;
    readonly response: MemberAddResponse;
  };
  readonly memberRemove: {
    readonly kind: 'unary';
    readonly request: MemberRemoveRequest;
    readonly response: MemberRemoveResponse;
  };
  readonly memberUpdate: {
    readonly kind: 'unary';
    readonly request: MemberUpdateRequest;
    readonly response: MemberUpdateResponse;
  };
  readonly memberList: {
    readonly kind: 'unary';
    readonly request: MemberListRequest;
    readonly response: MemberListResponse;
  };
  readonly memberPromote: {
    readonly kind: 'unary';
    readonly request: MemberPromoteRequest;
    readonly response: MemberPromoteResponse;
  };
}
export const Cluster: ServiceType<Cluster> = {
  name: 'etcdserverpb.Cluster',
  file: 'etcd/rpc.proto',
  methods: {
    MemberAdd: 'unary',
    MemberRemove: 'unary',
    MemberUpdate: 'unary',
    MemberList: 'unary',
    MemberPromote: 'unary',
  },
};

export interface Maintenance {
  readonly alarm: {
    readonly kind: 'unary';
    readonly request: AlarmRequest;
    readonly response: AlarmResponse;
  };
  /** What this member knows of itself. */
  readonly status: {
    readonly kind: 'unary';
    readonly request: StatusRequest;
    readonly response: StatusResponse;
  };
  readonly defragment: {
    readonly kind: 'unary';
    readonly request: DefragmentRequest;
    readonly response: DefragmentResponse;
  };
  readonly hash: {
    readonly kind: 'unary';
    readonly request: HashRequest;
    readonly response: HashResponse;
  };
  readonly hashKV: {
    readonly kind: 'unary';
    readonly request: HashKVRequest;
    readonly response: HashKVResponse;
  };
  readonly snapshot: {
    readonly kind: 'server-stream';
    readonly request: SnapshotRequest;
    readonly response: SnapshotResponse;
  };
  readonly moveLeader: {
    readonly kind: 'unary';
    readonly request: MoveLeaderRequest;
    readonly response: MoveLeaderResponse;
  };
}
export const Maintenance: ServiceType<Maintenance> = {
  name: 'etcdserverpb.Maintenance',
  file: 'etcd/rpc.proto',
  methods: {
    Alarm: 'unary',
    Status: 'unary',
    Defragment: 'unary',
    Hash: 'unary',
    HashKV: 'unary',
    Snapshot: 'server-stream',
    MoveLeader: 'unary',
  },
};

export interface Auth {
  /** From now on requests are served as far as the caller's roles allow. */
  readonly authEnable: {
    readonly kind: 'unary';
    readonly request: AuthEnableRequest;
    readonly response: AuthEnableResponse;
  };
  readonly authDisable: {
    readonly kind: 'unary';
    readonly request: AuthDisableRequest;
    readonly response: AuthDisableResponse;
  };
  /** etcd has it from 3.5 on. */
  readonly authStatus: {
    readonly kind: 'unary';
    readonly request: AuthStatusRequest;
    readonly response: AuthStatusResponse;
  };
  /** Refused: users prove who they are by their certificates. */
  readonly authenticate: {
    readonly kind: 'unary';
    readonly request: AuthenticateRequest;
    readonly response: AuthenticateResponse;
  };
  readonly userAdd: {
    readonly kind: 'unary';
    readonly request: AuthUserAddRequest;
    readonly response: AuthUserAddResponse;
  };
  readonly userGet: {
    readonly kind: 'unary';
    readonly request: AuthUserGetRequest;
    readonly response: AuthUserGetResponse;
  };
  readonly userList: {
    readonly kind: 'unary';
    readonly request: AuthUserListRequest;
    readonly response: AuthUserListResponse;
  };
  readonly userDelete: {
    readonly kind: 'unary';
    readonly request: AuthUserDeleteRequest;
    readonly response: AuthUserDeleteResponse;
  };
  /** Refused: users have no passwords. */
  readonly userChangePassword: {
    readonly kind: 'unary';
    readonly request: AuthUserChangePasswordRequest;
    readonly response: AuthUserChangePasswordResponse;
  };
  readonly userGrantRole: {
    readonly kind: 'unary';
    readonly request: AuthUserGrantRoleRequest;
    readonly response: AuthUserGrantRoleResponse;
  };
  readonly userRevokeRole: {
    readonly kind: 'unary';
    readonly request: AuthUserRevokeRoleRequest;
    readonly response: AuthUserRevokeRoleResponse;
  };
  readonly roleAdd: {
    readonly kind: 'unary';
    readonly request: AuthRoleAddRequest;
    readonly response: AuthRoleAddResponse;
  };
  readonly roleGet: {
    readonly kind: 'unary';
    readonly request: AuthRoleGetRequest;
    readonly response: AuthRoleGetResponse;
  };
  readonly roleList: {
    readonly kind: 'unary';
    readonly request: AuthRoleListRequest;
    readonly response: AuthRoleListResponse;
  };
  /** Takes the role from all users that have it, too. */
  readonly roleDelete: {
    readonly kind: 'unary';
    readonly request: AuthRoleDeleteRequest;
    readonly response: AuthRoleDeleteResponse;
  };
  readonly roleGrantPermission: {
    readonly kind: 'unary';
    readonly request: AuthRoleGrantPermissionRequest;
    readonly response: AuthRoleGrantPermissionResponse;
  };
  readonly roleRevokePermission: {
    readonly kind: 'unary';
    readonly request: AuthRoleRevokePermissionRequest;
    readonly response: AuthRoleRevokePermissionResponse;
  };
}
export const Auth: ServiceType<Auth> = {
  name: 'etcdserverpb.Auth',
  file: 'etcd/rpc.proto',
  methods: {
    AuthEnable: 'unary',
    AuthDisable: 'unary',
    AuthStatus: 'unary',
    Authenticate: 'unary',
    UserAdd: 'unary',
    UserGet: 'unary',
    UserList: 'unary',
    UserDelete: 'unary',
    UserChangePassword: 'unary',
    UserGrantRole: 'unary',
    UserRevokeRole: 'unary',
    RoleAdd: 'unary',
    RoleGet: 'unary',
    RoleList: 'unary',
    RoleDelete: 'unary',
    RoleGrantPermission: 'unary',
    RoleRevokePermission: 'unary',
  },
};

export interface ResponseHeader {
  readonly clusterId: bigint;
  /** The member that answered. */
  readonly memberId: bigint;
  /**
   * The store's revision when the request was served. In a watch's progress: all changes up to it
   * were sent.
   */
  readonly revision: bigint;
  readonly raftTerm: bigint;
}
export const ResponseHeader: MessageType<ResponseHeader> = { name: 'etcdserverpb.ResponseHeader', file: 'etcd/rpc.proto' };

export interface RangeRequest {
  readonly key: Uint8Array;
  /** The first key that is outside; empty for `key` alone, one zero byte for no upper end. */
  readonly rangeEnd: Uint8Array;
  /** Most keys to return; 0 for all. */
  readonly limit: bigint;
  /** Read as it was at this revision; 0 or less for now. */
  readonly revision: bigint;
  readonly sortOrder: RangeRequest_SortOrder;
  readonly sortTarget: RangeRequest_SortTarget;
  /** Read what this member has, which may be behind; otherwise the read is linearizable. */
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** Leave out keys whose revisions lie outside; 0 for no bound. */
  readonly minModRevision: bigint;
  readonly maxModRevision: bigint;
  readonly minCreateRevision: bigint;
  readonly maxCreateRevision: bigint;
}
export const RangeRequest: MessageType<RangeRequest> = { name: 'etcdserverpb.RangeRequest', file: 'etcd/rpc.proto' };

export type RangeRequest_SortOrder =
  | 'NONE'
  | 'ASCEND'
  | 'DESCEND';

export type RangeRequest_SortTarget =
  | 'KEY'
  | 'VERSION'
  | 'CREATE'
  | 'MOD'
  | 'VALUE';

export interface RangeResponse {
  readonly header: ResponseHeader | null;
  readonly kvs: readonly mvccpb.KeyValue[];
  /** The limit left keys out. */
  readonly more: boolean;
  /** Keys of the range, whatever the limit and the filters. */
  readonly count: bigint;
}
export const RangeResponse: MessageType<RangeResponse> = { name: 'etcdserverpb.RangeResponse', file: 'etcd/rpc.proto' };

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** The key is deleted with this lease; 0 for none. */
  readonly lease: bigint;
  readonly prevKv: boolean;
  /** Keep the value; the key must exist. */
  readonly ignoreValue: boolean;
  /** Keep the lease; the key must exist. */
  readonly ignoreLease: boolean;
}
export const PutRequest: MessageType<PutRequest> = { name: 'etcdserverpb.PutRequest', file: 'etcd/rpc.proto' };

export interface PutResponse {
  readonly header: ResponseHeader | null;
  readonly prevKv: mvccpb.KeyValue | null;
}
export const PutResponse: MessageType<PutResponse> = { name: 'etcdserverpb.PutResponse', file: 'etcd/rpc.proto' };

export interface DeleteRangeRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly prevKv: boolean;
}
export const DeleteRangeRequest: MessageType<DeleteRangeRequest> = { name: 'etcdserverpb.DeleteRangeRequest', file: 'etcd/rpc.proto' };

export interface DeleteRangeResponse {
  readonly header: ResponseHeader | null;
  readonly deleted: bigint;
  readonly prevKvs: readonly mvccpb.KeyValue[];
}
export const DeleteRangeResponse: MessageType<DeleteRangeResponse> = { name: 'etcdserverpb.DeleteRangeResponse', file: 'etcd/rpc.proto' };

export interface RequestOp {
  readonly requestRange?: RangeRequest;
  readonly requestPut?: PutRequest;
  readonly requestDeleteRange?: DeleteRangeRequest;
  readonly requestTxn?: TxnRequest;
}
export const RequestOp: MessageType<RequestOp> = { name: 'etcdserverpb.RequestOp', file: 'etcd/rpc.proto' };

export interface ResponseOp {
  readonly responseRange?: RangeResponse;
  readonly responsePut?: PutResponse;
  readonly responseDeleteRange?: DeleteRangeResponse;
  readonly responseTxn?: TxnResponse;
}
export const ResponseOp: MessageType<ResponseOp> = { name: 'etcdserverpb.ResponseOp', file: 'etcd/rpc.proto' };

export interface Compare {
  readonly result: Compare_CompareResult;
  readonly target: Compare_CompareTarget;
  readonly key: Uint8Array;
  readonly version?: bigint;
  readonly createRevision?: bigint;
  readonly modRevision?: bigint;
  readonly value?: Uint8Array;
  readonly lease?: bigint;
  /** The compare must hold for every key of the range. */
  readonly rangeEnd: Uint8Array;
}
export const Compare: MessageType<Compare> = { name: 'etcdserverpb.Compare', file: 'etcd/rpc.proto' };

export type Compare_CompareResult =
  | 'EQUAL'
  | 'GREATER'
  | 'LESS'
  | 'NOT_EQUAL';

export type Compare_CompareTarget =
  | 'VERSION'
  | 'CREATE'
  | 'MOD'
  | 'VALUE'
  | 'LEASE';

export interface TxnRequest {
  readonly compare: readonly Compare[];
  /** Done if all compares hold. */
  readonly success: readonly RequestOp[];
  /** Done otherwise. */
  readonly failure: readonly RequestOp[];
}
export const TxnRequest: MessageType<TxnRequest> = { name: 'etcdserverpb.TxnRequest', file: 'etcd/rpc.proto' };

export interface TxnResponse {
  readonly header: ResponseHeader | null;
  readonly succeeded: boolean;
  /** One for each operation that was done. */
  readonly responses: readonly ResponseOp[];
}
export const TxnResponse: MessageType<TxnResponse> = { name: 'etcdserverpb.TxnResponse', file: 'etcd/rpc.proto' };

export interface CompactionRequest {
  /** The oldest revision that stays readable. */
  readonly revision: bigint;
  /** Answer only when the memory is freed. */
  readonly physical: boolean;
}
export const CompactionRequest: MessageType<CompactionRequest> = { name: 'etcdserverpb.CompactionRequest', file: 'etcd/rpc.proto' };

export interface CompactionResponse {
  readonly header: ResponseHeader | null;
}
export const CompactionResponse: MessageType<CompactionResponse> = { name: 'etcdserverpb.CompactionResponse', file: 'etcd/rpc.proto' };

export interface WatchRequest {
  readonly createRequest?: WatchCreateRequest;
  readonly cancelRequest?: WatchCancelRequest;
  readonly progressRequest?: WatchProgressRequest;
}
export const WatchRequest: MessageType<WatchRequest> = { name: 'etcdserverpb.WatchRequest', file: 'etcd/rpc.proto' };

export interface WatchCreateRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  /** The first revision whose changes are shown; 0 for those after the creation. */
  readonly startRevision: bigint;
  /** Now and then, when nothing changes, say how far the watch is. */
  readonly progressNotify: boolean;
  /** What to leave out. */
  readonly filters: readonly WatchCreateRequest_FilterType[];
  readonly prevKv: boolean;
  /** 0: the server chooses. */
  readonly watchId: bigint;
  /** Large responses may be cut into several. */
  readonly fragment: boolean;
}
export const WatchCreateRequest: MessageType<WatchCreateRequest> = { name: 'etcdserverpb.WatchCreateRequest', file: 'etcd/rpc.proto' };

export type WatchCreateRequest_FilterType =
  | 'NOPUT'
  | 'NODELETE';

export interface WatchCancelRequest {
  readonly watchId: bigint;
}
export const WatchCancelRequest: MessageType<WatchCancelRequest> = { name: 'etcdserverpb.WatchCancelRequest', file: 'etcd/rpc.proto' };

/** Asks for a response without changes that says how far all watches of the stream are. */
export interface WatchProgressRequest {

}
export const WatchProgressRequest: MessageType<WatchProgressRequest> = { name: 'etcdserverpb.WatchProgressRequest', file: 'etcd/rpc.proto' };

export interface WatchResponse {
  readonly header: ResponseHeader | null;
  /** -1 where it is about all watches of the stream, or about one that could not be created. */
  readonly watchId: bigint;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Set where the watch ended because what it still had to show was compacted. */
  readonly compactRevision: bigint;
  readonly cancelReason: string;
  /** More of the same revision follows. */
  readonly fragment: boolean;
  readonly events: readonly mvccpb.Event[];
}
export const WatchResponse: MessageType<WatchResponse> = { name: 'etcdserverpb.WatchResponse', file: 'etcd/rpc.proto' };

export interface LeaseGrantRequest {
  /** Seconds; a shorter one than the least becomes the least. */
  readonly TTL: bigint;
  /** 0: the server chooses. */
  readonly ID: bigint;
}
export const LeaseGrantRequest: MessageType<LeaseGrantRequest> = { name: 'etcdserverpb.LeaseGrantRequest', file: 'etcd/rpc.proto' };

export interface LeaseGrantResponse {
  readonly header: ResponseHeader | null;
  readonly ID: bigint;
  readonly TTL: bigint;
  readonly error: string;
}
export const LeaseGrantResponse: MessageType<LeaseGrantResponse> = { name: 'etcdserverpb.LeaseGrantResponse', file: 'etcd/rpc.proto' };

export interface LeaseRevokeRequest {
  readonly ID: bigint;
}
export const LeaseRevokeRequest: MessageType<LeaseRevokeRequest> = { name: 'etcdserverpb.LeaseRevokeRequest', file: 'etcd/rpc.proto' };

export interface LeaseRevokeResponse {
  readonly header: ResponseHeader | null;
}
export const LeaseRevokeResponse: MessageType<LeaseRevokeResponse> = { name: 'etcdserverpb.LeaseRevokeResponse', file: 'etcd/rpc.proto' };

export interface LeaseKeepAliveRequest {
  readonly ID: bigint;
}
export const LeaseKeepAliveRequest: MessageType<LeaseKeepAliveRequest> = { name: 'etcdserverpb.LeaseKeepAliveRequest', file: 'etcd/rpc.proto' };

export interface LeaseKeepAliveResponse {
  readonly header: ResponseHeader | null;
  readonly ID: bigint;
  /** 0: there is no such lease. */
  readonly TTL: bigint;
}
export const LeaseKeepAliveResponse: MessageType<LeaseKeepAliveResponse> = { name: 'etcdserverpb.LeaseKeepAliveResponse', file: 'etcd/rpc.proto' };

export interface LeaseTimeToLiveRequest {
  readonly ID: bigint;
  /** Answer with the lease's keys. */
  readonly keys: boolean;
}
export const LeaseTimeToLiveRequest: MessageType<LeaseTimeToLiveRequest> = { name: 'etcdserverpb.LeaseTimeToLiveRequest', file: 'etcd/rpc.proto' };

export interface LeaseTimeToLiveResponse {
  readonly header: ResponseHeader | null;
  readonly ID: bigint;
  /** Seconds that are left; -1: there is no such lease. */
  readonly TTL: bigint;
  readonly grantedTTL: bigint;
  readonly keys: readonly Uint8Array[];
}
export const LeaseTimeToLiveResponse: MessageType<LeaseTimeToLiveResponse> = { name: 'etcdserverpb.LeaseTimeToLiveResponse', file: 'etcd/rpc.proto' };

export interface LeaseLeasesRequest {

}
export const LeaseLeasesRequest: MessageType<LeaseLeasesRequest> = { name: 'etcdserverpb.LeaseLeasesRequest', file: 'etcd/rpc.proto' };

export interface LeaseStatus {
  readonly ID: bigint;
}
export const LeaseStatus: MessageType<LeaseStatus> = { name: 'etcdserverpb.LeaseStatus', file: 'etcd/rpc.proto' };

export interface LeaseLeasesResponse {
  readonly header: ResponseHeader | null;
  readonly leases: readonly LeaseStatus[];
}
export const LeaseLeasesResponse: MessageType<LeaseLeasesResponse> = { name: 'etcdserverpb.LeaseLeasesResponse', file: 'etcd/rpc.proto' };

export interface Member {
  readonly ID: bigint;
  readonly name: string;
  readonly peerURLs: readonly string[];
  /** Empty: the member has not started, or did not say. */
  readonly clientURLs: readonly string[];
  readonly isLearner: boolean;
}
export const Member: MessageType<Member> = { name: 'etcdserverpb.Member', file: 'etcd/rpc.proto' };

export interface MemberAddRequest {
  readonly peerURLs: readonly string[];
  readonly isLearner: boolean;
}
export const MemberAddRequest: MessageType<MemberAddRequest> = { name: 'etcdserverpb.MemberAddRequest', file: 'etcd/rpc.proto' };

export interface MemberAddResponse {
  readonly header: ResponseHeader | null;
  readonly member: Member | null;
  readonly members: readonly Member[];
}
export const MemberAddResponse: MessageType<MemberAddResponse> = { name: 'etcdserverpb.MemberAddResponse', file: 'etcd/rpc.proto' };

export interface MemberRemoveRequest {
  readonly ID: bigint;
}
export const MemberRemoveRequest: MessageType<MemberRemoveRequest> = { name: 'etcdserverpb.MemberRemoveRequest', file: 'etcd/rpc.proto' };

export interface MemberRemoveResponse {
  readonly header: ResponseHeader | null;
  readonly members: readonly Member[];
}
export const MemberRemoveResponse: MessageType<MemberRemoveResponse> = { name: 'etcdserverpb.MemberRemoveResponse', file: 'etcd/rpc.proto' };

export interface MemberUpdateRequest {
  readonly ID: bigint;
  readonly peerURLs: readonly string[];
}
export const MemberUpdateRequest: MessageType<MemberUpdateRequest> = { name: 'etcdserverpb.MemberUpdateRequest', file: 'etcd/rpc.proto' };

export interface MemberUpdateResponse {
  readonly header: ResponseHeader | null;
  readonly members: readonly Member[];
}
export const MemberUpdateResponse: MessageType<MemberUpdateResponse> = { name: 'etcdserverpb.MemberUpdateResponse', file: 'etcd/rpc.proto' };

export interface MemberListRequest {

}
export const MemberListRequest: MessageType<MemberListRequest> = { name: 'etcdserverpb.MemberListRequest', file: 'etcd/rpc.proto' };

export interface MemberListResponse {
  readonly header: ResponseHeader | null;
  readonly members: readonly Member[];
}
export const MemberListResponse: MessageType<MemberListResponse> = { name: 'etcdserverpb.MemberListResponse', file: 'etcd/rpc.proto' };

export interface MemberPromoteRequest {
  readonly ID: bigint;
}
export const MemberPromoteRequest: MessageType<MemberPromoteRequest> = { name: 'etcdserverpb.MemberPromoteRequest', file: 'etcd/rpc.proto' };

export interface MemberPromoteResponse {
  readonly header: ResponseHeader | null;
  readonly members: readonly Member[];
}
export const MemberPromoteResponse: MessageType<MemberPromoteResponse> = { name: 'etcdserverpb.MemberPromoteResponse', file: 'etcd/rpc.proto' };

export type AlarmType =
  | 'NONE'
  | 'NOSPACE'
  | 'CORRUPT';

export interface AlarmRequest {
  readonly action: AlarmRequest_AlarmAction;
  /** 0: all members. */
  readonly memberID: bigint;
  readonly alarm: AlarmType;
}
export const AlarmRequest: MessageType<AlarmRequest> = { name: 'etcdserverpb.AlarmRequest', file: 'etcd/rpc.proto' };

export type AlarmRequest_AlarmAction =
  | 'GET'
  | 'ACTIVATE'
  | 'DEACTIVATE';

export interface AlarmMember {
  readonly memberID: bigint;
  readonly alarm: AlarmType;
}
export const AlarmMember: MessageType<AlarmMember> = { name: 'etcdserverpb.AlarmMember', file: 'etcd/rpc.proto' };

export interface AlarmResponse {
  readonly header: ResponseHeader | null;
  readonly alarms: readonly AlarmMember[];
}
export const AlarmResponse: MessageType<AlarmResponse> = { name: 'etcdserverpb.AlarmResponse', file: 'etcd/rpc.proto' };

export interface StatusRequest {

}
export const StatusRequest: MessageType<StatusRequest> = { name: 'etcdserverpb.StatusRequest', file: 'etcd/rpc.proto' };

export interface StatusResponse {
  readonly header: ResponseHeader | null;
  /** The version of the API: clients look at it to know what they can ask for. */
  readonly version: string;
  /** Bytes that the store is taken to occupy. */
  readonly dbSize: bigint;
  /** 0: no leader is known. */
  readonly leader: bigint;
  readonly raftIndex: bigint;
  readonly raftTerm: bigint;
  readonly raftAppliedIndex: bigint;
  readonly errors: readonly string[];
  readonly dbSizeInUse: bigint;
  readonly isLearner: boolean;
  /** The newest version of the members' own protocol that no member is known not to speak. */
  readonly storageVersion: string;
}
export const StatusResponse: MessageType<StatusResponse> = { name: 'etcdserverpb.StatusResponse', file: 'etcd/rpc.proto' };

export interface DefragmentRequest {

}
export const DefragmentRequest: MessageType<DefragmentRequest> = { name: 'etcdserverpb.DefragmentRequest', file: 'etcd/rpc.proto' };

export interface DefragmentResponse {
  readonly header: ResponseHeader | null;
}
export const DefragmentResponse: MessageType<DefragmentResponse> = { name: 'etcdserverpb.DefragmentResponse', file: 'etcd/rpc.proto' };

export interface HashRequest {

}
export const HashRequest: MessageType<HashRequest> = { name: 'etcdserverpb.HashRequest', file: 'etcd/rpc.proto' };

export interface HashResponse {
  readonly header: ResponseHeader | null;
  readonly hash: number;
}
export const HashResponse: MessageType<HashResponse> = { name: 'etcdserverpb.HashResponse', file: 'etcd/rpc.proto' };

export interface HashKVRequest {
  readonly revision: bigint;
}
export const HashKVRequest: MessageType<HashKVRequest> = { name: 'etcdserverpb.HashKVRequest', file: 'etcd/rpc.proto' };

export interface HashKVResponse {
  readonly header: ResponseHeader | null;
  readonly hash: number;
  readonly compactRevision: bigint;
}
export const HashKVResponse: MessageType<HashKVResponse> = { name: 'etcdserverpb.HashKVResponse', file: 'etcd/rpc.proto' };

export interface SnapshotRequest {

}
export const SnapshotRequest: MessageType<SnapshotRequest> = { name: 'etcdserverpb.SnapshotRequest', file: 'etcd/rpc.proto' };

export interface SnapshotResponse {
  readonly header: ResponseHeader | null;
  readonly remainingBytes: bigint;
  readonly blob: Uint8Array;
}
export const SnapshotResponse: MessageType<SnapshotResponse> = { name: 'etcdserverpb.SnapshotResponse', file: 'etcd/rpc.proto' };

export interface MoveLeaderRequest {
  readonly targetID: bigint;
}
export const MoveLeaderRequest: MessageType<MoveLeaderRequest> = { name: 'etcdserverpb.MoveLeaderRequest', file: 'etcd/rpc.proto' };

export interface MoveLeaderResponse {
  readonly header: ResponseHeader | null;
}
export const MoveLeaderResponse: MessageType<MoveLeaderResponse> = { name: 'etcdserverpb.MoveLeaderResponse', file: 'etcd/rpc.proto' };

export interface AuthEnableRequest {

}
export const AuthEnableRequest: MessageType<AuthEnableRequest> = { name: 'etcdserverpb.AuthEnableRequest', file: 'etcd/rpc.proto' };

export interface AuthEnableResponse {
  readonly header: ResponseHeader | null;
}
export const AuthEnableResponse: MessageType<AuthEnableResponse> = { name: 'etcdserverpb.AuthEnableResponse', file: 'etcd/rpc.proto' };

export interface AuthDisableRequest {

}
export const AuthDisableRequest: MessageType<AuthDisableRequest> = { name: 'etcdserverpb.AuthDisableRequest', file: 'etcd/rpc.proto' };

export interface AuthDisableResponse {
  readonly header: ResponseHeader | null;
}
export const AuthDisableResponse: MessageType<AuthDisableResponse> = { name: 'etcdserverpb.AuthDisableResponse', file: 'etcd/rpc.proto' };

export interface AuthStatusRequest {

}
export const AuthStatusRequest: MessageType<AuthStatusRequest> = { name: 'etcdserverpb.AuthStatusRequest', file: 'etcd/rpc.proto' };

export interface AuthStatusResponse {
  readonly header: ResponseHeader | null;
  readonly enabled: boolean;
  /** Rises with each change of users and roles. */
  readonly authRevision: bigint;
}
export const AuthStatusResponse: MessageType<AuthStatusResponse> = { name: 'etcdserverpb.AuthStatusResponse', file: 'etcd/rpc.proto' };

export interface AuthenticateRequest {
  readonly name: string;
  readonly password: string;
}
export const AuthenticateRequest: MessageType<AuthenticateRequest> = { name: 'etcdserverpb.AuthenticateRequest', file: 'etcd/rpc.proto' };

export interface AuthenticateResponse {
  readonly header: ResponseHeader | null;
  readonly token: string;
}
export const AuthenticateResponse: MessageType<AuthenticateResponse> = { name: 'etcdserverpb.AuthenticateResponse', file: 'etcd/rpc.proto' };

export interface AuthUserAddRequest {
  /** The common name of the certificates that stand for the user. */
  readonly name: string;
  /** Must be empty. */
  readonly password: string;
  readonly options: authpb.UserAddOptions | null;
  /** Must be empty; etcd has it from 3.5 on. */
  readonly hashedPassword: string;
}
export const AuthUserAddRequest: MessageType<AuthUserAddRequest> = { name: 'etcdserverpb.AuthUserAddRequest', file: 'etcd/rpc.proto' };

export interface AuthUserAddResponse {
  readonly header: ResponseHeader | null;
}
export const AuthUserAddResponse: MessageType<AuthUserAddResponse> = { name: 'etcdserverpb.AuthUserAddResponse', file: 'etcd/rpc.proto' };

export interface AuthUserGetRequest {
  readonly name: string;
}
export const AuthUserGetRequest: MessageType<AuthUserGetRequest> = { name: 'etcdserverpb.AuthUserGetRequest', file: 'etcd/rpc.proto' };

export interface AuthUserGetResponse {
  readonly header: ResponseHeader | null;
  readonly roles: readonly string[];
}
export const AuthUserGetResponse: MessageType<AuthUserGetResponse> = { name: 'etcdserverpb.AuthUserGetResponse', file: 'etcd/rpc.proto' };

export interface AuthUserListRequest {

}
export const AuthUserListRequest: MessageType<AuthUserListRequest> = { name: 'etcdserverpb.AuthUserListRequest', file: 'etcd/rpc.proto' };

export interface AuthUserListResponse {
  readonly header: ResponseHeader | null;
  readonly users: readonly string[];
}
export const AuthUserListResponse: MessageType<AuthUserListResponse> = { name: 'etcdserverpb.AuthUserListResponse', file: 'etcd/rpc.proto' };

export interface AuthUserDeleteRequest {
  readonly name: string;
}
export const AuthUserDeleteRequest: MessageType<AuthUserDeleteRequest> = { name: 'etcdserverpb.AuthUserDeleteRequest', file: 'etcd/rpc.proto' };

export interface AuthUserDeleteResponse {
  readonly header: ResponseHeader | null;
}
export const AuthUserDeleteResponse: MessageType<AuthUserDeleteResponse> = { name: 'etcdserverpb.AuthUserDeleteResponse', file: 'etcd/rpc.proto' };

export interface AuthUserChangePasswordRequest {
  readonly name: string;
  readonly password: string;
}
export const AuthUserChangePasswordRequest: MessageType<AuthUserChangePasswordRequest> = { name: 'etcdserverpb.AuthUserChangePasswordRequest', file: 'etcd/rpc.proto' };

export interface AuthUserChangePasswordResponse {
  readonly header: ResponseHeader | null;
}
export const AuthUserChangePasswordResponse: MessageType<AuthUserChangePasswordResponse> = { name: 'etcdserverpb.AuthUserChangePasswordResponse', file: 'etcd/rpc.proto' };

export interface AuthUserGrantRoleRequest {
  readonly user: string;
  readonly role: string;
}
export const AuthUserGrantRoleRequest: MessageType<AuthUserGrantRoleRequest> = { name: 'etcdserverpb.AuthUserGrantRoleRequest', file: 'etcd/rpc.proto' };

export interface AuthUserGrantRoleResponse {
  readonly header: ResponseHeader | null;
}
export const AuthUserGrantRoleResponse: MessageType<AuthUserGrantRoleResponse> = { name: 'etcdserverpb.AuthUserGrantRoleResponse', file: 'etcd/rpc.proto' };

export interface AuthUserRevokeRoleRequest {
  readonly name: string;
  readonly role: string;
}
export const AuthUserRevokeRoleRequest: MessageType<AuthUserRevokeRoleRequest> = { name: 'etcdserverpb.AuthUserRevokeRoleRequest', file: 'etcd/rpc.proto' };

export interface AuthUserRevokeRoleResponse {
  readonly header: ResponseHeader | null;
}
export const AuthUserRevokeRoleResponse: MessageType<AuthUserRevokeRoleResponse> = { name: 'etcdserverpb.AuthUserRevokeRoleResponse', file: 'etcd/rpc.proto' };

export interface AuthRoleAddRequest {
  readonly name: string;
}
export const AuthRoleAddRequest: MessageType<AuthRoleAddRequest> = { name: 'etcdserverpb.AuthRoleAddRequest', file: 'etcd/rpc.proto' };

export interface AuthRoleAddResponse {
  readonly header: ResponseHeader | null;
}
export const AuthRoleAddResponse: MessageType<AuthRoleAddResponse> = { name: 'etcdserverpb.AuthRoleAddResponse', file: 'etcd/rpc.proto' };

export interface AuthRoleGetRequest {
  readonly role: string;
}
export const AuthRoleGetRequest: MessageType<AuthRoleGetRequest> = { name: 'etcdserverpb.AuthRoleGetRequest', file: 'etcd/rpc.proto' };

export interface AuthRoleGetResponse {
  readonly header: ResponseHeader | null;
  /** In the order of their keys. */
  readonly perm: readonly authpb.Permission[];
}
export const AuthRoleGetResponse: MessageType<AuthRoleGetResponse> = { name: 'etcdserverpb.AuthRoleGetResponse', file: 'etcd/rpc.proto' };

export interface AuthRoleListRequest {

}
export const AuthRoleListRequest: MessageType<AuthRoleListRequest> = { name: 'etcdserverpb.AuthRoleListRequest', file: 'etcd/rpc.proto' };

export interface AuthRoleListResponse {
  readonly header: ResponseHeader | null;
  readonly roles: readonly string[];
}
export const AuthRoleListResponse: MessageType<AuthRoleListResponse> = { name: 'etcdserverpb.AuthRoleListResponse', file: 'etcd/rpc.proto' };

export interface AuthRoleDeleteRequest {
  readonly role: string;
}
export const AuthRoleDeleteRequest: MessageType<AuthRoleDeleteRequest> = { name: 'etcdserverpb.AuthRoleDeleteRequest', file: 'etcd/rpc.proto' };

export interface AuthRoleDeleteResponse {
  readonly header: ResponseHeader | null;
}
export const AuthRoleDeleteResponse: MessageType<AuthRoleDeleteResponse> = { name: 'etcdserverpb.AuthRoleDeleteResponse', file: 'etcd/rpc.proto' };

export interface AuthRoleGrantPermissionRequest {
  readonly name: string;
  /** Replaces the one that the role has for just this range. */
  readonly perm: authpb.Permission | null;
}
export const AuthRoleGrantPermissionRequest: MessageType<AuthRoleGrantPermissionRequest> = { name: 'etcdserverpb.AuthRoleGrantPermissionRequest', file: 'etcd/rpc.proto' };

export interface AuthRoleGrantPermissionResponse {
  readonly header: ResponseHeader | null;
}
export const AuthRoleGrantPermissionResponse: MessageType<AuthRoleGrantPermissionResponse> = { name: 'etcdserverpb.AuthRoleGrantPermissionResponse', file: 'etcd/rpc.proto' };

export interface AuthRoleRevokePermissionRequest {
  readonly role: string;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}
export const AuthRoleRevokePermissionRequest: MessageType<AuthRoleRevokePermissionRequest> = { name: 'etcdserverpb.AuthRoleRevokePermissionRequest', file: 'etcd/rpc.proto' };

export interface AuthRoleRevokePermissionResponse {
  readonly header: ResponseHeader | null;
}
export const AuthRoleRevokePermissionResponse: MessageType<AuthRoleRevokePermissionResponse> = { name: 'etcdserverpb.AuthRoleRevokePermissionResponse', file: 'etcd/rpc.proto' };
