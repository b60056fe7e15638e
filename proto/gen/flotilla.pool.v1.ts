// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType, ServiceType } from '../codec.ts';
import type * as google_protobuf from './google.protobuf.ts';
import type * as google_rpc from './google.rpc.ts';

/**
 * Work that takes time, as a list of steps. The service that owns it writes down each step as it
 * ends, so that after a crash it goes on where it was, or undoes what was done.
 */
export interface Operation {
  readonly id: string;
  /** "vm.create", "vm.start", "vdi.delete". */
  readonly verb: string;
  /** What it works on. */
  readonly resourceType: string;
  readonly resourceId: string;
  readonly resourceName: string;
  readonly state: OperationState;
  readonly steps: readonly OperationStep[];
  /** Why it failed; empty unless the state is FAILED or CANCELLED. */
  readonly error: google_rpc.Status | null;
  /** The host whose service runs it. */
  readonly host: string;
  readonly cancelRequested: boolean;
  readonly createTime: google_protobuf.Timestamp | null;
  readonly endTime: google_protobuf.Timestamp | null;
  readonly revision: number;
}
export const Operation: MessageType<Operation> = { name: 'flotilla.pool.v1.Operation', file: 'flotilla/pool/v1/operation.proto' };

export type OperationState =
  | 'OPERATION_STATE_UNSPECIFIED'
  | 'OPERATION_STATE_PENDING'
  | 'OPERATION_STATE_RUNNING'
  | 'OPERATION_STATE_UNDOING'
  | 'OPERATION_STATE_SUCCEEDED'
  | 'OPERATION_STATE_FAILED'
  | 'OPERATION_STATE_CANCELLED';

export interface OperationStep {
  /** "storage.attach", "domain.create". */
  readonly name: string;
  /** For people: "attach disk web-disk-0". */
  readonly description: string;
  readonly state: StepState;
}
export const OperationStep: MessageType<OperationStep> = { name: 'flotilla.pool.v1.OperationStep', file: 'flotilla/pool/v1/operation.proto' };

export type StepState =
  | 'STEP_STATE_UNSPECIFIED'
  | 'STEP_STATE_PENDING'
  | 'STEP_STATE_RUNNING'
  | 'STEP_STATE_DONE'
  | 'STEP_STATE_FAILED'
  | 'STEP_STATE_UNDONE';

/** What a Watch call says of a resource. */
export type ChangeType =
  | 'CHANGE_TYPE_UNSPECIFIED'
  | 'CHANGE_TYPE_CREATED'
  | 'CHANGE_TYPE_UPDATED'
  | 'CHANGE_TYPE_DELETED'
  | 'CHANGE_TYPE_SYNCED';

export interface PoolService {
  /** The pool at a glance: hosts up and down, the database's members and leader, what runs. */
  readonly getPool: {
    readonly kind: 'unary';
    readonly request: GetPoolRequest;
    readonly response: Pool;
  };
  readonly getHost: {
    readonly kind: 'unary';
    readonly request: GetHostRequest;
    readonly response: Host;
  };
  readonly listHosts: {
    readonly kind: 'unary';
    readonly request: ListHostsRequest;
    readonly response: ListHostsResponse;
  };
  readonly watchHosts: {
    readonly kind: 'server-stream';
    readonly request: WatchHostsRequest;
    readonly response: HostEvent;
  };
  readonly getOperation: {
    readonly kind: 'unary';
    readonly request: GetOperationRequest;
    readonly response: Operation;
  };
  /** Newest first. */
  readonly listOperations: {
    readonly kind: 'unary';
    readonly request: ListOperationsRequest;
    readonly response: ListOperationsResponse;
  };
  /** With `operation` set the stream ends after that operation has ended. */
  readonly watchOperations: {
    readonly kind: 'server-stream';
    readonly request: WatchOperationsRequest;
    readonly response: OperationEvent;
  };
  /**
   * Asks a running operation to undo what it did and to end as CANCELLED. An operation past the
   * point of no return goes on and succeeds. Cancelling an ended operation is FAILED_PRECONDITION.
   */
  readonly cancelOperation: {
    readonly kind: 'unary';
    readonly request: CancelOperationRequest;
    readonly response: Operation;
  };
  /** What happened in the pool, oldest first; the last day of it is kept. */
  readonly listEvents: {
    readonly kind: 'unary';
    readonly request: ListEventsRequest;
    readonly response: ListEventsResponse;
  };
  readonly watchEvents: {
    readonly kind: 'server-stream';
    readonly request: WatchEventsRequest;
    readonly response: Event;
  };
}
export const PoolService: ServiceType<PoolService> = { name: 'flotilla.pool.v1.PoolService', file: 'flotilla/pool/v1/pool.proto' };

/** The closed set of reasons an ErrorInfo may carry, without the prefix REASON_. */
export type Reason =
  | 'REASON_UNSPECIFIED'
  | 'REASON_INVALID_FIELD'
  | 'REASON_NOT_FOUND'
  | 'REASON_NAME_TAKEN'
  | 'REASON_WRONG_STATE'
  | 'REASON_BUSY'
  | 'REASON_NO_HOST_FITS'
  | 'REASON_HOST_UNREACHABLE'
  | 'REASON_NO_SPACE'
  | 'REASON_BOOT_FILE'
  | 'REASON_DATABASE_UNAVAILABLE'
  | 'REASON_CONFLICT'
  | 'REASON_REVISION_COMPACTED'
  | 'REASON_WATCH_TOO_SLOW'
  | 'REASON_STALE_EPOCH'
  | 'REASON_HYPERVISOR'
  | 'REASON_SERVICE_UNAVAILABLE'
  | 'REASON_STORAGE'
  | 'REASON_NETWORK'
  | 'REASON_CANCELLED'
  | 'REASON_LIMIT'
  | 'REASON_FORBIDDEN'
  | 'REASON_XENSTORE'
  | 'REASON_NOT_IMPLEMENTED'
  | 'REASON_IMAGE';

export interface GetPoolRequest {

}
export const GetPoolRequest: MessageType<GetPoolRequest> = { name: 'flotilla.pool.v1.GetPoolRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface Pool {
  readonly name: string;
  /** Hosts that hold their lease, and all of them. */
  readonly hostsUp: number;
  readonly hosts: number;
  /** Members of the pool database. */
  readonly databaseMembers: readonly DatabaseMember[];
  readonly vms: number;
  readonly vmsRunning: number;
  readonly operationsRunning: number;
  /** Memory of the hosts that are up: all of it, and what VMs have reserved. */
  readonly memoryTotal: number;
  readonly memoryReserved: number;
  /** The pool database's revision that this answer is from. */
  readonly revision: number;
}
export const Pool: MessageType<Pool> = { name: 'flotilla.pool.v1.Pool', file: 'flotilla/pool/v1/pool.proto' };

export interface DatabaseMember {
  readonly name: string;
  /** The address its clients use. */
  readonly clientAddress: string;
  readonly leader: boolean;
  /** It answered just now. */
  readonly healthy: boolean;
}
export const DatabaseMember: MessageType<DatabaseMember> = { name: 'flotilla.pool.v1.DatabaseMember', file: 'flotilla/pool/v1/pool.proto' };

/** One machine that runs Xen, or a simulated one. */
export interface Host {
  readonly id: string;
  readonly name: string;
  readonly state: HostState;
  readonly hypervisor: Hypervisor;
  readonly hypervisorVersion: string;
  readonly cpus: number;
  /** Memory that VMs can be given in all, and the part that is reserved by VMs. */
  readonly memoryTotal: number;
  readonly memoryReserved: number;
  readonly vmsRunning: number;
  /** Where its services answer: key "vm-lifecycle", "storage", "network", "xenstore", "consensus". */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly startTime: google_protobuf.Timestamp | null;
  readonly revision: number;
}
export const Host: MessageType<Host> = { name: 'flotilla.pool.v1.Host', file: 'flotilla/pool/v1/pool.proto' };

export type HostState =
  | 'HOST_STATE_UNSPECIFIED'
  | 'HOST_STATE_UP'
  | 'HOST_STATE_DOWN';

export type Hypervisor =
  | 'HYPERVISOR_UNSPECIFIED'
  | 'HYPERVISOR_XEN'
  | 'HYPERVISOR_SIMULATED';

export interface GetHostRequest {
  /** Its name or id. */
  readonly host: string;
}
export const GetHostRequest: MessageType<GetHostRequest> = { name: 'flotilla.pool.v1.GetHostRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface ListHostsRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}
export const ListHostsRequest: MessageType<ListHostsRequest> = { name: 'flotilla.pool.v1.ListHostsRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface ListHostsResponse {
  readonly hosts: readonly Host[];
  readonly nextPageToken: string;
}
export const ListHostsResponse: MessageType<ListHostsResponse> = { name: 'flotilla.pool.v1.ListHostsResponse', file: 'flotilla/pool/v1/pool.proto' };

export interface WatchHostsRequest {
  readonly resumeRevision: number;
}
export const WatchHostsRequest: MessageType<WatchHostsRequest> = { name: 'flotilla.pool.v1.WatchHostsRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface HostEvent {
  readonly type: ChangeType;
  readonly host: Host | null;
  readonly revision: number;
}
export const HostEvent: MessageType<HostEvent> = { name: 'flotilla.pool.v1.HostEvent', file: 'flotilla/pool/v1/pool.proto' };

export interface GetOperationRequest {
  readonly operation: string;
}
export const GetOperationRequest: MessageType<GetOperationRequest> = { name: 'flotilla.pool.v1.GetOperationRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface ListOperationsRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  /** Only those about this resource: a name or an id. */
  readonly resource: string;
  /** Only those that have not ended. */
  readonly active: boolean;
}
export const ListOperationsRequest: MessageType<ListOperationsRequest> = { name: 'flotilla.pool.v1.ListOperationsRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface ListOperationsResponse {
  readonly operations: readonly Operation[];
  readonly nextPageToken: string;
}
export const ListOperationsResponse: MessageType<ListOperationsResponse> = { name: 'flotilla.pool.v1.ListOperationsResponse', file: 'flotilla/pool/v1/pool.proto' };

export interface WatchOperationsRequest {
  readonly resumeRevision: number;
  /** Only this one. */
  readonly operation: string;
}
export const WatchOperationsRequest: MessageType<WatchOperationsRequest> = { name: 'flotilla.pool.v1.WatchOperationsRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface OperationEvent {
  readonly type: ChangeType;
  readonly operation: Operation | null;
  readonly revision: number;
}
export const OperationEvent: MessageType<OperationEvent> = { name: 'flotilla.pool.v1.OperationEvent', file: 'flotilla/pool/v1/pool.proto' };

export interface CancelOperationRequest {
  readonly operation: string;
}
export const CancelOperationRequest: MessageType<CancelOperationRequest> = { name: 'flotilla.pool.v1.CancelOperationRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface ListEventsRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly resource: string;
}
export const ListEventsRequest: MessageType<ListEventsRequest> = { name: 'flotilla.pool.v1.ListEventsRequest', file: 'flotilla/pool/v1/pool.proto' };

export interface ListEventsResponse {
  readonly events: readonly Event[];
  readonly nextPageToken: string;
}
export const ListEventsResponse: MessageType<ListEventsResponse> = { name: 'flotilla.pool.v1.ListEventsResponse', file: 'flotilla/pool/v1/pool.proto' };

export interface WatchEventsRequest {
  readonly resumeRevision: number;
}
export const WatchEventsRequest: MessageType<WatchEventsRequest> = { name: 'flotilla.pool.v1.WatchEventsRequest', file: 'flotilla/pool/v1/pool.proto' };

/** Something an operator may want to know later. */
export interface Event {
  readonly id: string;
  readonly time: google_protobuf.Timestamp | null;
  readonly severity: Severity;
  /** "vm", "host", ... and the resource's id and name. */
  readonly resourceType: string;
  readonly resourceId: string;
  readonly resourceName: string;
  /** A sentence. */
  readonly message: string;
  readonly revision: number;
}
export const Event: MessageType<Event> = { name: 'flotilla.pool.v1.Event', file: 'flotilla/pool/v1/pool.proto' };

export type Severity =
  | 'SEVERITY_UNSPECIFIED'
  | 'SEVERITY_INFO'
  | 'SEVERITY_WARNING'
  | 'SEVERITY_ERROR';
