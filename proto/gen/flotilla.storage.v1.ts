// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType, ServiceType } from '../codec.ts';
import type * as flotilla_pool_v1 from './flotilla.pool.v1.ts';
import type * as google_protobuf from './google.protobuf.ts';

/** The pool's view: any host's storage service answers for every SR and VDI. */
export interface StorageService {
  readonly getSr: {
    readonly kind: 'unary';
    readonly request: GetSrRequest;
    readonly response: Sr;
  };
  readonly listSrs: {
    readonly kind: 'unary';
    readonly request: ListSrsRequest;
    readonly response: ListSrsResponse;
  };
  readonly watchSrs: {
    readonly kind: 'server-stream';
    readonly request: WatchSrsRequest;
    readonly response: SrEvent;
  };
  readonly getVdi: {
    readonly kind: 'unary';
    readonly request: GetVdiRequest;
    readonly response: Vdi;
  };
  readonly listVdis: {
    readonly kind: 'unary';
    readonly request: ListVdisRequest;
    readonly response: ListVdisResponse;
  };
  readonly watchVdis: {
    readonly kind: 'server-stream';
    readonly request: WatchVdisRequest;
    readonly response: VdiEvent;
  };
  /** The host that has the SR makes the image; when the operation has ended, the VDI is READY. */
  readonly createVdi: {
    readonly kind: 'unary';
    readonly request: CreateVdiRequest;
    readonly response: flotilla_pool_v1.Operation;
  };
  /** Changes the VDI's name. */
  readonly updateVdi: {
    readonly kind: 'unary';
    readonly request: UpdateVdiRequest;
    readonly response: Vdi;
  };
  /** A VDI that a VM uses is not deleted: FAILED_PRECONDITION. */
  readonly deleteVdi: {
    readonly kind: 'unary';
    readonly request: DeleteVdiRequest;
    readonly response: flotilla_pool_v1.Operation;
  };
}
export const StorageService: ServiceType<StorageService> = {
  name: 'flotilla.storage.v1.StorageService',
  file: 'flotilla/storage/v1/storage.proto',
  methods: {
    GetSr: 'unary',
    ListSrs: 'unary',
    WatchSrs: 'server-stream',
    GetVdi: 'unary',
    ListVdis: 'unary',
    WatchVdis: 'server-stream',
    CreateVdi: 'unary',
    UpdateVdi: 'unary',
    DeleteVdi: 'unary',
  },
};

/** One host's view: the VM lifecycle service of the same host asks for what a domain needs. */
export interface AttachmentService {
  /**
   * Makes a VDI usable on this host for one claim of a VM. Attaching again under the same epoch
   * returns the same device; an older epoch than the newest one seen is refused with STALE_EPOCH.
   */
  readonly attach: {
    readonly kind: 'unary';
    readonly request: AttachRequest;
    readonly response: Attachment;
  };
  /** Undoes Attach. What is not attached is detached: that succeeds. */
  readonly detach: {
    readonly kind: 'unary';
    readonly request: DetachRequest;
    readonly response: DetachResponse;
  };
  /** What is attached on this host now. */
  readonly listAttachments: {
    readonly kind: 'unary';
    readonly request: ListAttachmentsRequest;
    readonly response: ListAttachmentsResponse;
  };
}
export const AttachmentService: ServiceType<AttachmentService> = {
  name: 'flotilla.storage.v1.AttachmentService',
  file: 'flotilla/storage/v1/storage.proto',
  methods: {
    Attach: 'unary',
    Detach: 'unary',
    ListAttachments: 'unary',
  },
};

/** A place that holds disk images. */
export interface Sr {
  readonly id: string;
  readonly name: string;
  readonly type: SrType;
  /** The host whose disks it is on. */
  readonly host: string;
  /** The space of the file system underneath, and what is free of it. */
  readonly physicalSize: number;
  readonly physicalFree: number;
  /** What its VDIs may grow to. */
  readonly virtualAllocated: number;
  readonly revision: number;
}
export const Sr: MessageType<Sr> = { name: 'flotilla.storage.v1.Sr', file: 'flotilla/storage/v1/storage.proto' };

export type SrType =
  | 'SR_TYPE_UNSPECIFIED'
  | 'SR_TYPE_FILE';

/** A disk image. */
export interface Vdi {
  readonly id: string;
  readonly name: string;
  /** Its SR's id. */
  readonly sr: string;
  /** What the guest sees, in bytes: a multiple of 512. */
  readonly virtualSize: number;
  readonly state: VdiState;
  /** The VM that has it attached; empty if none. */
  readonly attachedVm: string;
  readonly createTime: google_protobuf.Timestamp | null;
  readonly revision: number;
}
export const Vdi: MessageType<Vdi> = { name: 'flotilla.storage.v1.Vdi', file: 'flotilla/storage/v1/storage.proto' };

export type VdiState =
  | 'VDI_STATE_UNSPECIFIED'
  | 'VDI_STATE_CREATING'
  | 'VDI_STATE_READY'
  | 'VDI_STATE_DELETING';

export interface GetSrRequest {
  readonly sr: string;
}
export const GetSrRequest: MessageType<GetSrRequest> = { name: 'flotilla.storage.v1.GetSrRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface ListSrsRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  /** Only those on this host. */
  readonly host: string;
}
export const ListSrsRequest: MessageType<ListSrsRequest> = { name: 'flotilla.storage.v1.ListSrsRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface ListSrsResponse {
  readonly srs: readonly Sr[];
  readonly nextPageToken: string;
}
export const ListSrsResponse: MessageType<ListSrsResponse> = { name: 'flotilla.storage.v1.ListSrsResponse', file: 'flotilla/storage/v1/storage.proto' };

export interface WatchSrsRequest {
  readonly resumeRevision: number;
}
export const WatchSrsRequest: MessageType<WatchSrsRequest> = { name: 'flotilla.storage.v1.WatchSrsRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface SrEvent {
  readonly type: flotilla_pool_v1.ChangeType;
  readonly sr: Sr | null;
  readonly revision: number;
}
export const SrEvent: MessageType<SrEvent> = { name: 'flotilla.storage.v1.SrEvent', file: 'flotilla/storage/v1/storage.proto' };

export interface GetVdiRequest {
  readonly vdi: string;
}
export const GetVdiRequest: MessageType<GetVdiRequest> = { name: 'flotilla.storage.v1.GetVdiRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface ListVdisRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  /** Only those of this SR. */
  readonly sr: string;
}
export const ListVdisRequest: MessageType<ListVdisRequest> = { name: 'flotilla.storage.v1.ListVdisRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface ListVdisResponse {
  readonly vdis: readonly Vdi[];
  readonly nextPageToken: string;
}
export const ListVdisResponse: MessageType<ListVdisResponse> = { name: 'flotilla.storage.v1.ListVdisResponse', file: 'flotilla/storage/v1/storage.proto' };

export interface WatchVdisRequest {
  readonly resumeRevision: number;
}
export const WatchVdisRequest: MessageType<WatchVdisRequest> = { name: 'flotilla.storage.v1.WatchVdisRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface VdiEvent {
  readonly type: flotilla_pool_v1.ChangeType;
  readonly vdi: Vdi | null;
  readonly revision: number;
}
export const VdiEvent: MessageType<VdiEvent> = { name: 'flotilla.storage.v1.VdiEvent', file: 'flotilla/storage/v1/storage.proto' };

export interface CreateVdiRequest {
  readonly name: string;
  /** Empty: the SR with most room. */
  readonly sr: string;
  /** From 512 bytes to 64 TiB; rounded up to 512. */
  readonly virtualSize: number;
  readonly validateOnly: boolean;
  /**
   * A UUID of the caller's choice: it becomes the VDI's id, and a repeated request returns the first
   * one's operation.
   */
  readonly requestId: string;
}
export const CreateVdiRequest: MessageType<CreateVdiRequest> = { name: 'flotilla.storage.v1.CreateVdiRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface UpdateVdiRequest {
  readonly vdi: string;
  readonly name: string;
  readonly validateOnly: boolean;
}
export const UpdateVdiRequest: MessageType<UpdateVdiRequest> = { name: 'flotilla.storage.v1.UpdateVdiRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface DeleteVdiRequest {
  readonly vdi: string;
  readonly validateOnly: boolean;
  readonly requestId: string;
}
export const DeleteVdiRequest: MessageType<DeleteVdiRequest> = { name: 'flotilla.storage.v1.DeleteVdiRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface AttachRequest {
  /** The VDI's id. */
  readonly vdi: string;
  /** The VM's id and the epoch of its claim. */
  readonly vm: string;
  readonly epoch: number;
  readonly readOnly: boolean;
}
export const AttachRequest: MessageType<AttachRequest> = { name: 'flotilla.storage.v1.AttachRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface Attachment {
  readonly vdi: string;
  readonly vm: string;
  readonly epoch: number;
  readonly readOnly: boolean;
  /**
   * What a backend opens: a block device on Xen, the image itself where domains are simulated.
   * Empty while nothing is open.
   */
  readonly path: string;
  /** The block device's number in the backend's domain, "7:3"; empty where it is none. */
  readonly device: string;
  /** The domain that serves the disk: the one that the storage service runs in, 0 outside of guests. */
  readonly backend: number;
}
export const Attachment: MessageType<Attachment> = { name: 'flotilla.storage.v1.Attachment', file: 'flotilla/storage/v1/storage.proto' };

export interface DetachRequest {
  readonly vdi: string;
  readonly vm: string;
  readonly epoch: number;
}
export const DetachRequest: MessageType<DetachRequest> = { name: 'flotilla.storage.v1.DetachRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface DetachResponse {

}
export const DetachResponse: MessageType<DetachResponse> = { name: 'flotilla.storage.v1.DetachResponse', file: 'flotilla/storage/v1/storage.proto' };

export interface ListAttachmentsRequest {

}
export const ListAttachmentsRequest: MessageType<ListAttachmentsRequest> = { name: 'flotilla.storage.v1.ListAttachmentsRequest', file: 'flotilla/storage/v1/storage.proto' };

export interface ListAttachmentsResponse {
  readonly attachments: readonly Attachment[];
}
export const ListAttachmentsResponse: MessageType<ListAttachmentsResponse> = { name: 'flotilla.storage.v1.ListAttachmentsResponse', file: 'flotilla/storage/v1/storage.proto' };
