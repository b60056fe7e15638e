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

export interface ImageService {
  /** By service, architecture and digest. */
  readonly listImages: {
    readonly kind: 'unary';
    readonly request: ListImagesRequest;
    readonly response: ListImagesResponse;
  };
  /**
   * Makes a signed manifest known to the pool. One that no trusted key signed is refused (IMAGE), and
   * nothing changes. One that is known already is answered with as it is. Only the operator may.
   */
  readonly publishImage: {
    readonly kind: 'unary';
    readonly request: PublishImageRequest;
    readonly response: Image;
  };
  /** Forgets a manifest: what it names is not started any more. What runs, runs on. Only the operator may. */
  readonly deleteImage: {
    readonly kind: 'unary';
    readonly request: DeleteImageRequest;
    readonly response: Image;
  };
  /** By id. */
  readonly listImageKeys: {
    readonly kind: 'unary';
    readonly request: ListImageKeysRequest;
    readonly response: ListImageKeysResponse;
  };
  /** Believes what this key signs from now on. Only the operator may. */
  readonly trustImageKey: {
    readonly kind: 'unary';
    readonly request: TrustImageKeyRequest;
    readonly response: ImageKey;
  };
  /**
   * Believes nothing any more that this key signed, or will sign: images that it signed stay in the
   * list, and are not started. What runs, runs on. Only the operator may.
   */
  readonly distrustImageKey: {
    readonly kind: 'unary';
    readonly request: DistrustImageKeyRequest;
    readonly response: ImageKey;
  };
  /**
   * What a host wrote down of the guests that it started since it booted, oldest first. Whoever asks
   * verifies the chain himself: see docs/images.md.
   */
  readonly listMeasurements: {
    readonly kind: 'unary';
    readonly request: ListMeasurementsRequest;
    readonly response: ListMeasurementsResponse;
  };
}
export const ImageService: ServiceType<ImageService> = {
  name: 'flotilla.pool.v1.ImageService',
  file: 'flotilla/pool/v1/image.proto',
  methods: {
    ListImages: 'unary',
    PublishImage: 'unary',
    DeleteImage: 'unary',
    ListImageKeys: 'unary',
    TrustImageKey: 'unary',
    DistrustImageKey: 'unary',
    ListMeasurements: 'unary',
  },
};

/** A signed manifest that the pool knows. */
export interface Image {
  /** What it is called: the SHA-256 of `manifest`, in hexadecimal. */
  readonly digest: string;
  readonly service: string;
  readonly version: string;
  /** "x86_64" or "aarch64". */
  readonly architecture: string;
  /** The key that signed it. */
  readonly keyId: string;
  /** Whether the pool trusts that key now: it is not started otherwise. */
  readonly trusted: boolean;
  /** The bytes of manifest.json. */
  readonly manifest: Uint8Array;
  /** The bytes of manifest.json.sig. */
  readonly signature: Uint8Array;
  readonly publishTime: google_protobuf.Timestamp | null;
  readonly revision: number;
}
export const Image: MessageType<Image> = { name: 'flotilla.pool.v1.Image', file: 'flotilla/pool/v1/image.proto' };

export interface ListImagesRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}
export const ListImagesRequest: MessageType<ListImagesRequest> = { name: 'flotilla.pool.v1.ListImagesRequest', file: 'flotilla/pool/v1/image.proto' };

export interface ListImagesResponse {
  readonly images: readonly Image[];
  readonly nextPageToken: string;
}
export const ListImagesResponse: MessageType<ListImagesResponse> = { name: 'flotilla.pool.v1.ListImagesResponse', file: 'flotilla/pool/v1/image.proto' };

export interface PublishImageRequest {
  /** The bytes of manifest.json, and of manifest.json.sig. */
  readonly manifest: Uint8Array;
  readonly signature: Uint8Array;
  readonly validateOnly: boolean;
}
export const PublishImageRequest: MessageType<PublishImageRequest> = { name: 'flotilla.pool.v1.PublishImageRequest', file: 'flotilla/pool/v1/image.proto' };

export interface DeleteImageRequest {
  /** All 64 digits of its digest. */
  readonly digest: string;
  readonly validateOnly: boolean;
}
export const DeleteImageRequest: MessageType<DeleteImageRequest> = { name: 'flotilla.pool.v1.DeleteImageRequest', file: 'flotilla/pool/v1/image.proto' };

/** A public key whose signatures of images the pool believes. */
export interface ImageKey {
  /** The SHA-256 of its SubjectPublicKeyInfo in DER, in hexadecimal. */
  readonly id: string;
  /** What the operator calls it. */
  readonly name: string;
  /** Ed25519, as PEM. */
  readonly publicKey: string;
  readonly trustTime: google_protobuf.Timestamp | null;
  readonly revision: number;
}
export const ImageKey: MessageType<ImageKey> = { name: 'flotilla.pool.v1.ImageKey', file: 'flotilla/pool/v1/image.proto' };

export interface ListImageKeysRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}
export const ListImageKeysRequest: MessageType<ListImageKeysRequest> = { name: 'flotilla.pool.v1.ListImageKeysRequest', file: 'flotilla/pool/v1/image.proto' };

export interface ListImageKeysResponse {
  readonly keys: readonly ImageKey[];
  readonly nextPageToken: string;
}
export const ListImageKeysResponse: MessageType<ListImageKeysResponse> = { name: 'flotilla.pool.v1.ListImageKeysResponse', file: 'flotilla/pool/v1/image.proto' };

export interface TrustImageKeyRequest {
  /** As PEM. */
  readonly publicKey: string;
  /** May be empty. */
  readonly name: string;
  readonly validateOnly: boolean;
}
export const TrustImageKeyRequest: MessageType<TrustImageKeyRequest> = { name: 'flotilla.pool.v1.TrustImageKeyRequest', file: 'flotilla/pool/v1/image.proto' };

export interface DistrustImageKeyRequest {
  /** All 64 digits of its id. */
  readonly id: string;
  readonly validateOnly: boolean;
}
export const DistrustImageKeyRequest: MessageType<DistrustImageKeyRequest> = { name: 'flotilla.pool.v1.DistrustImageKeyRequest', file: 'flotilla/pool/v1/image.proto' };

/** What a host measured before it built a domain. */
export interface Measurement {
  /** From 1, without gaps, since the host booted. */
  readonly sequence: number;
  readonly time: google_protobuf.Timestamp | null;
  readonly domainName: string;
  readonly domainUuid: string;
  /** The service that it is the guest of; empty for an ordinary VM. */
  readonly service: string;
  /** SHA-256 of the files as they were handed to the hypervisor; empty: there was none. */
  readonly kernel: string;
  readonly initramfs: string;
  /** SHA-256 of the kernel's command line. */
  readonly commandLine: string;
  /** The words that the host added to the command line of a service's image. */
  readonly hostWords: string;
  /** The digest of the signed manifest by which it was admitted; empty for an ordinary VM. */
  readonly manifest: string;
  /** The digest of the measurement before it. */
  readonly previous: string;
}
export const Measurement: MessageType<Measurement> = { name: 'flotilla.pool.v1.Measurement', file: 'flotilla/pool/v1/image.proto' };

export interface ListMeasurementsRequest {
  /** Name or id. */
  readonly host: string;
  readonly pageSize: number;
  readonly pageToken: string;
}
export const ListMeasurementsRequest: MessageType<ListMeasurementsRequest> = { name: 'flotilla.pool.v1.ListMeasurementsRequest', file: 'flotilla/pool/v1/image.proto' };

export interface ListMeasurementsResponse {
  readonly hostId: string;
  /** The boot of the host that they are of, as Linux names it (boot_id); empty: it measured nothing yet. */
  readonly boot: string;
  /** Where the host says that the chain ends: the last sequence number, and the digest of that measurement. */
  readonly headSequence: number;
  readonly head: string;
  /** The newest ones: older ones are in the host's own log alone. */
  readonly measurements: readonly Measurement[];
  readonly nextPageToken: string;
}
export const ListMeasurementsResponse: MessageType<ListMeasurementsResponse> = { name: 'flotilla.pool.v1.ListMeasurementsResponse', file: 'flotilla/pool/v1/image.proto' };

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
export const PoolService: ServiceType<PoolService> = {
  name: 'flotilla.pool.v1.PoolService',
  file: 'flotilla/pool/v1/pool.proto',
  methods: {
    GetPool: 'unary',
    GetHost: 'unary',
    ListHosts: 'unary',
    WatchHosts: 'server-stream',
    GetOperation: 'unary',
    ListOperations: 'unary',
    WatchOperations: 'server-stream',
    CancelOperation: 'unary',
    ListEvents: 'unary',
    WatchEvents: 'server-stream',
  },
};

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

export interface SupervisorService {
  /** What the supervisors of a host keep running now. SERVICE_UNAVAILABLE: none of them answers. */
  readonly listServices: {
    readonly kind: 'unary';
    readonly request: ListServicesRequest;
    readonly response: ListServicesResponse;
  };
  /**
   * Starts one service of a host anew; VMs run on. The stream begins with one `accepted`, tells of the
   * progress, and ends after `restarted`, when the service serves again. WRONG_STATE: it does not start, and
   * the message says why. A restart that was accepted goes on when the stream is lost or cancelled. Lost it is
   * where the service is the host's vm-lifecycle: its own end ends the stream (UNAVAILABLE). Whoever waits for
   * it then asks ListServices until the service has another id or more starts than `accepted` told.
   */
  readonly restartService: {
    readonly kind: 'server-stream';
    readonly request: RestartServiceRequest;
    readonly response: RestartServiceResponse;
  };
}
export const SupervisorService: ServiceType<SupervisorService> = {
  name: 'flotilla.pool.v1.SupervisorService',
  file: 'flotilla/pool/v1/supervisor.proto',
  methods: {
    ListServices: 'unary',
    RestartService: 'server-stream',
  },
};

/** A service that a supervisor keeps running. */
export interface SupervisedService {
  /** "vm-lifecycle", "storage", "network", "xenstore", "consensus"; or "service-guests", which keeps the guests. */
  readonly service: string;
  readonly form: ServiceForm;
  /** One word: "serving", "starting", "waiting", "refused", "stopping", "stopped", "silent". */
  readonly state: string;
  /** The process's id, or the guest's domid; 0 where there is none now. */
  readonly id: number;
  /** How often this supervisor has started it. */
  readonly starts: number;
  /** Why it does not serve; empty where there is nothing to know. */
  readonly detail: string;
}
export const SupervisedService: MessageType<SupervisedService> = { name: 'flotilla.pool.v1.SupervisedService', file: 'flotilla/pool/v1/supervisor.proto' };

export type ServiceForm =
  | 'SERVICE_FORM_UNSPECIFIED'
  | 'SERVICE_FORM_PROCESS'
  | 'SERVICE_FORM_GUEST';

export interface ListServicesRequest {
  /** The host's name or id. */
  readonly host: string;
  /**
   * Refuse, where another host than the one that answers is meant. A host that hands a request on sets it,
   * so that no request goes in a circle.
   */
  readonly onlyHere: boolean;
}
export const ListServicesRequest: MessageType<ListServicesRequest> = { name: 'flotilla.pool.v1.ListServicesRequest', file: 'flotilla/pool/v1/supervisor.proto' };

export interface ListServicesResponse {
  /** The host's name. */
  readonly host: string;
  readonly services: readonly SupervisedService[];
}
export const ListServicesResponse: MessageType<ListServicesResponse> = { name: 'flotilla.pool.v1.ListServicesResponse', file: 'flotilla/pool/v1/supervisor.proto' };

export interface RestartServiceRequest {
  /** The host's name or id. */
  readonly host: string;
  readonly service: string;
  /** As in ListServicesRequest. */
  readonly onlyHere: boolean;
}
export const RestartServiceRequest: MessageType<RestartServiceRequest> = { name: 'flotilla.pool.v1.RestartServiceRequest', file: 'flotilla/pool/v1/supervisor.proto' };

export interface RestartServiceResponse {
  readonly accepted?: RestartAccepted;
  /** What happens, in a few words. */
  readonly progress?: string;
  readonly restarted?: ServiceRestarted;
}
export const RestartServiceResponse: MessageType<RestartServiceResponse> = { name: 'flotilla.pool.v1.RestartServiceResponse', file: 'flotilla/pool/v1/supervisor.proto' };

/** The supervisor is asked next. */
export interface RestartAccepted {
  /** The host's name. */
  readonly host: string;
  /** The service as it was until then. */
  readonly service: SupervisedService | null;
}
export const RestartAccepted: MessageType<RestartAccepted> = { name: 'flotilla.pool.v1.RestartAccepted', file: 'flotilla/pool/v1/supervisor.proto' };

export interface ServiceRestarted {
  /** From the request to end until it served again. */
  readonly awayMilliseconds: number;
  /** The new process's id, or the new guest's domid. */
  readonly id: number;
}
export const ServiceRestarted: MessageType<ServiceRestarted> = { name: 'flotilla.pool.v1.ServiceRestarted', file: 'flotilla/pool/v1/supervisor.proto' };
