// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType, ServiceType } from '../codec.ts';
import type * as flotilla_pool_v1 from './flotilla.pool.v1.ts';
import type * as google_protobuf from './google.protobuf.ts';

export interface VmService {
  readonly getVm: {
    readonly kind: 'unary';
    readonly request: GetVmRequest;
    readonly response: Vm;
  };
  readonly listVms: {
    readonly kind: 'unary';
    readonly request: ListVmsRequest;
    readonly response: ListVmsResponse;
  };
  readonly watchVms: {
    readonly kind: 'server-stream';
    readonly request: WatchVmsRequest;
    readonly response: VmEvent;
  };
  /** Makes the VM's disks and then the VM, HALTED. If a disk cannot be made, nothing is left. */
  readonly createVm: {
    readonly kind: 'unary';
    readonly request: CreateVmRequest;
    readonly response: flotilla_pool_v1.Operation;
  };
  /**
   * Changes the fields that `update_mask` names: "name" at any time; "memory", "vcpus", "boot" while
   * the VM is HALTED.
   */
  readonly updateVm: {
    readonly kind: 'unary';
    readonly request: UpdateVmRequest;
    readonly response: Vm;
  };
  /** Deletes a HALTED VM, and the disks that were made with it. */
  readonly deleteVm: {
    readonly kind: 'unary';
    readonly request: DeleteVmRequest;
    readonly response: flotilla_pool_v1.Operation;
  };
  /** Chooses a host that fits, reserves its memory, and starts the VM there. */
  readonly startVm: {
    readonly kind: 'unary';
    readonly request: StartVmRequest;
    readonly response: flotilla_pool_v1.Operation;
  };
  /**
   * Asks the guest to stop. A guest that does not within `timeout_seconds` makes the operation fail
   * and runs on; DestroyVm stops it.
   */
  readonly shutdownVm: {
    readonly kind: 'unary';
    readonly request: ShutdownVmRequest;
    readonly response: flotilla_pool_v1.Operation;
  };
  /** Asks the guest to stop, and starts it again on its host. */
  readonly rebootVm: {
    readonly kind: 'unary';
    readonly request: RebootVmRequest;
    readonly response: flotilla_pool_v1.Operation;
  };
  /** Stops the VM at once, as if its power were cut. */
  readonly destroyVm: {
    readonly kind: 'unary';
    readonly request: DestroyVmRequest;
    readonly response: flotilla_pool_v1.Operation;
  };
  /**
   * The VM's serial console: what it printed lately, then what it prints. The first message names the
   * VM; the others carry what is typed. Any host answers; it passes the bytes on to the VM's host.
   */
  readonly openConsole: {
    readonly kind: 'bidi-stream';
    readonly request: ConsoleInput;
    readonly response: ConsoleOutput;
  };
}
export const VmService: ServiceType<VmService> = {
  name: 'flotilla.vm.v1.VmService',
  file: 'flotilla/vm/v1/vm.proto',
  methods: {
    GetVm: 'unary',
    ListVms: 'unary',
    WatchVms: 'server-stream',
    CreateVm: 'unary',
    UpdateVm: 'unary',
    DeleteVm: 'unary',
    StartVm: 'unary',
    ShutdownVm: 'unary',
    RebootVm: 'unary',
    DestroyVm: 'unary',
    OpenConsole: 'bidi-stream',
  },
};

export interface Vm {
  readonly id: string;
  /** 1 to 63 of a-z, 0-9, "-" and ".", beginning and ending with a letter or digit. */
  readonly name: string;
  readonly type: DomainType;
  /** From 4 MiB to 12 TiB; a multiple of 4 KiB. */
  readonly memory: number;
  readonly vcpus: number;
  readonly boot: Boot | null;
  readonly disks: readonly Disk[];
  readonly nics: readonly Nic[];
  /** Below: set by the pool; ignored in requests. */
  readonly powerState: PowerState;
  /** The name of the host that runs it, or is to run it; empty while HALTED. */
  readonly host: string;
  /** Xen's number of its domain on that host; 0 while there is none. */
  readonly domid: number;
  /** How often it has been claimed by a host. */
  readonly epoch: number;
  /** The operation that is under way; empty if none. */
  readonly operation: string;
  readonly createTime: google_protobuf.Timestamp | null;
  /** When it was last started; unset while HALTED. */
  readonly startTime: google_protobuf.Timestamp | null;
  readonly revision: number;
  /** Why it is in this power state, where that needs a word: "the guest crashed". */
  readonly powerStateDetail: string;
}
export const Vm: MessageType<Vm> = { name: 'flotilla.vm.v1.Vm', file: 'flotilla/vm/v1/vm.proto' };

export type DomainType =
  | 'DOMAIN_TYPE_UNSPECIFIED'
  | 'DOMAIN_TYPE_PV'
  | 'DOMAIN_TYPE_PVH';

export type PowerState =
  | 'POWER_STATE_UNSPECIFIED'
  | 'POWER_STATE_HALTED'
  | 'POWER_STATE_RUNNING'
  | 'POWER_STATE_PAUSED'
  | 'POWER_STATE_UNKNOWN';

/** What the VM boots: paths on the host that starts it. */
export interface Boot {
  /** Empty: the host's own default kernel and initial RAM disk. */
  readonly kernel: string;
  readonly ramdisk: string;
  /** At most 4096 characters. */
  readonly commandLine: string;
}
export const Boot: MessageType<Boot> = { name: 'flotilla.vm.v1.Boot', file: 'flotilla/vm/v1/vm.proto' };

export interface Disk {
  /** The virtual disk's id or name. In CreateVm empty: a new one of `size` is made. */
  readonly vdi: string;
  /** In CreateVm, for a new one. */
  readonly size: number;
  /** In CreateVm, where to make it: an SR's id or name; empty: the SR with most room. */
  readonly sr: string;
  /** The guest's name for it: "xvda" for the first. Set by the pool. */
  readonly vdev: string;
  readonly readOnly: boolean;
  /** The disk was made by CreateVm and is deleted by DeleteVm. Set by the pool. */
  readonly owned: boolean;
}
export const Disk: MessageType<Disk> = { name: 'flotilla.vm.v1.Disk', file: 'flotilla/vm/v1/vm.proto' };

export interface Nic {
  /** The network's id or name. */
  readonly network: string;
  /** Six octets; empty in CreateVm: one is chosen in Xen's range, 00:16:3e. */
  readonly mac: string;
}
export const Nic: MessageType<Nic> = { name: 'flotilla.vm.v1.Nic', file: 'flotilla/vm/v1/vm.proto' };

export interface GetVmRequest {
  readonly vm: string;
}
export const GetVmRequest: MessageType<GetVmRequest> = { name: 'flotilla.vm.v1.GetVmRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface VmFilter {
  /** Those whose name contains this. */
  readonly name: string;
  readonly powerState: PowerState;
  /** Those on this host: its name or id. */
  readonly host: string;
}
export const VmFilter: MessageType<VmFilter> = { name: 'flotilla.vm.v1.VmFilter', file: 'flotilla/vm/v1/vm.proto' };

export interface ListVmsRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly filter: VmFilter | null;
}
export const ListVmsRequest: MessageType<ListVmsRequest> = { name: 'flotilla.vm.v1.ListVmsRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface ListVmsResponse {
  readonly vms: readonly Vm[];
  readonly nextPageToken: string;
}
export const ListVmsResponse: MessageType<ListVmsResponse> = { name: 'flotilla.vm.v1.ListVmsResponse', file: 'flotilla/vm/v1/vm.proto' };

export interface WatchVmsRequest {
  readonly resumeRevision: number;
  readonly filter: VmFilter | null;
}
export const WatchVmsRequest: MessageType<WatchVmsRequest> = { name: 'flotilla.vm.v1.WatchVmsRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface VmEvent {
  readonly type: flotilla_pool_v1.ChangeType;
  readonly vm: Vm | null;
  readonly revision: number;
}
export const VmEvent: MessageType<VmEvent> = { name: 'flotilla.vm.v1.VmEvent', file: 'flotilla/vm/v1/vm.proto' };

export interface CreateVmRequest {
  readonly vm: Vm | null;
  readonly validateOnly: boolean;
  /** The host to make it on: its name or id; empty: the pool chooses. */
  readonly host: string;
  /** A UUID of the caller's choice, so that a repeated request returns the first one's operation. */
  readonly requestId: string;
}
export const CreateVmRequest: MessageType<CreateVmRequest> = { name: 'flotilla.vm.v1.CreateVmRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface UpdateVmRequest {
  readonly vm: string;
  readonly update: Vm | null;
  readonly updateMask: google_protobuf.FieldMask | null;
  readonly validateOnly: boolean;
}
export const UpdateVmRequest: MessageType<UpdateVmRequest> = { name: 'flotilla.vm.v1.UpdateVmRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface DeleteVmRequest {
  readonly vm: string;
  readonly validateOnly: boolean;
  readonly requestId: string;
}
export const DeleteVmRequest: MessageType<DeleteVmRequest> = { name: 'flotilla.vm.v1.DeleteVmRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface StartVmRequest {
  readonly vm: string;
  /** The host to start it on: its name or id; empty: the pool chooses. */
  readonly host: string;
  readonly validateOnly: boolean;
  readonly requestId: string;
}
export const StartVmRequest: MessageType<StartVmRequest> = { name: 'flotilla.vm.v1.StartVmRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface ShutdownVmRequest {
  readonly vm: string;
  /** 0: 60 seconds. */
  readonly timeoutSeconds: number;
  readonly validateOnly: boolean;
  readonly requestId: string;
}
export const ShutdownVmRequest: MessageType<ShutdownVmRequest> = { name: 'flotilla.vm.v1.ShutdownVmRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface RebootVmRequest {
  readonly vm: string;
  /** 0: 60 seconds. */
  readonly timeoutSeconds: number;
  readonly validateOnly: boolean;
  readonly requestId: string;
}
export const RebootVmRequest: MessageType<RebootVmRequest> = { name: 'flotilla.vm.v1.RebootVmRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface DestroyVmRequest {
  readonly vm: string;
  readonly validateOnly: boolean;
  readonly requestId: string;
}
export const DestroyVmRequest: MessageType<DestroyVmRequest> = { name: 'flotilla.vm.v1.DestroyVmRequest', file: 'flotilla/vm/v1/vm.proto' };

export interface ConsoleInput {
  /** In the first message. */
  readonly vm: string;
  /** In the others. */
  readonly data: Uint8Array;
}
export const ConsoleInput: MessageType<ConsoleInput> = { name: 'flotilla.vm.v1.ConsoleInput', file: 'flotilla/vm/v1/vm.proto' };

export interface ConsoleOutput {
  readonly data: Uint8Array;
}
export const ConsoleOutput: MessageType<ConsoleOutput> = { name: 'flotilla.vm.v1.ConsoleOutput', file: 'flotilla/vm/v1/vm.proto' };
