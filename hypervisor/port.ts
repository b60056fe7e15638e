import type { Brand } from '../base/brand.ts';
import type { Result } from '../base/result.ts';
import type { Bytes, Milliseconds } from '../base/units.ts';

/**
 * The port to the hypervisor: what the VM lifecycle needs of Xen, and no more. `xen/` implements
 * it with libxl, `simulated/` without a hypervisor; both pass the suite in `test/contract/`.
 */

/** Xen's number of a running domain, unique on its host until the domain is destroyed. */
export type DomainId = Brand<number, 'DomainId'>;

/** The domain that builds the others, and backs their devices where no driver domain does. */
export const controlDomain = 0 as DomainId;

/** A domain's UUID in its 36-character form: how a VM and its domain are told to belong together. */
export type DomainUuid = Brand<string, 'DomainUuid'>;

/** Why a domain stopped by itself: `SHUTDOWN_*` of xen/include/public/sched.h. */
export type ShutdownReason = 'poweroff' | 'reboot' | 'suspend' | 'crash' | 'watchdog';

/** What the scheduler sees of a domain. `dying`: destroyed, but memory is still being freed. */
export type DomainState =
  | { readonly kind: 'running' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'shutdown'; readonly reason: ShutdownReason }
  | { readonly kind: 'dying' };

/** One domain of this host, as the hypervisor reports it now. */
export interface Domain {
  readonly id: DomainId;
  readonly uuid: DomainUuid;
  readonly name: string;
  readonly state: DomainState;
  /** Memory that the domain holds now. */
  readonly memory: Bytes;
  readonly vcpus: number;
  /** Null where the hypervisor does not tell, as a simulated one. */
  readonly processor: DomainProcessor | null;
}

/** What a domain has had of the host's processors. */
export interface DomainProcessor {
  /** Processor time of all its virtual CPUs since it was built. */
  readonly had: Milliseconds;
  /** It wants to run, and no virtual CPU of it does at this moment. */
  readonly waits: boolean;
}

/** What the storage service hands to the hypervisor for one disk. */
export interface DiskConfig {
  /** The guest's name for the disk: `xvda` to `xvdp`. */
  readonly vdev: string;
  /** A block device of the backend's domain (`/dev/loop3`); a simulated domain also takes a file. */
  readonly path: string;
  readonly readOnly: boolean;
  /** The domain whose kernel serves the disk: the control domain, or a driver domain. */
  readonly backend: DomainId;
  /**
   * The device's number as the backend's kernel knows it, `major:minor` in decimal as in
   * /sys/dev/block. Null where the control domain is the backend: there the path is looked at.
   */
  readonly device: string | null;
}

/** What the network service hands to the hypervisor for one interface. */
export interface NicConfig {
  /** Position on the guest's bus: 0 is the guest's first interface. */
  readonly index: number;
  /** Six octets in lower case, separated by colons. */
  readonly mac: string;
  /** The bridge of the backend's domain that the backend's interface will join. */
  readonly bridge: string;
  /** The domain whose kernel serves the interface: the control domain, or a driver domain. */
  readonly backend: DomainId;
}

/** Everything that is needed to build a domain. */
export interface DomainConfig {
  /**
   * The number that the domain is to have; without it the hypervisor chooses. A driver domain that
   * is built anew takes the number that it had: its guests' grants and event channels are made out
   * to that number, so that its backends go on with them (docs/driver-domains.md).
   */
  readonly id?: DomainId;
  readonly uuid: DomainUuid;
  readonly name: string;
  readonly type: 'pv' | 'pvh';
  readonly memory: Bytes;
  readonly vcpus: number;
  /** Paths on this host. */
  readonly kernel: string;
  readonly ramdisk: string | null;
  readonly commandLine: string;
  readonly disks: readonly DiskConfig[];
  readonly nics: readonly NicConfig[];
  /** The domain backs devices of others: the toolstack gives it a xenstore directory for that. */
  readonly driverDomain?: boolean;
}

/** The closed set of ways in which the hypervisor refuses. */
export type HypervisorErrorCode =
  | 'domain-not-found'
  | 'domain-exists'
  | 'out-of-memory'
  | 'boot-file-missing'
  | 'boot-file-invalid'
  | 'device-unavailable'
  | 'unsupported'
  | 'hypervisor-unavailable'
  | 'hypervisor-failed';

/** Why the hypervisor refused. `detail` is one sentence for the operator. */
export interface HypervisorError {
  readonly code: HypervisorErrorCode;
  readonly detail: string;
}

/** What the host's hardware and hypervisor offer. */
export interface HypervisorInfo {
  readonly kind: 'xen' | 'simulated';
  /** `4.17.5`, or `simulated`. */
  readonly version: string;
  readonly cpus: number;
  readonly memoryTotal: Bytes;
  /** Memory that a new domain could be given now. */
  readonly memoryFree: Bytes;
}

/** Devices of a domain that no backend serves now. */
export interface UnservedDevices {
  /** By the guest's names for them: `xvda`. */
  readonly disks: readonly string[];
  /** By their positions. */
  readonly nics: readonly number[];
}

/** An open console of a domain. Closing it does not disturb the domain. */
export interface Console {
  /** Calls `listener` with what the guest prints, in order, from when the console was opened. */
  onData(listener: (data: Uint8Array) => void): void;
  /**
   * Calls `listener` once when the domain, and so its console, is gone, or when the hypervisor was
   * lost: whoever still finds the domain opens another.
   */
  onEnd(listener: () => void): void;
  /** Types into the guest. */
  write(data: Uint8Array): void;
  close(): void;
}

/** Something happened to a domain; re-read it. Events may be merged and repeated, never lost. */
export type DomainListener = (id: DomainId) => void;

/**
 * Control of the domains of one host. Calls about different domains may run at once; the caller
 * does not start a second call about one domain before the first has ended.
 */
export interface Hypervisor {
  info(): Promise<Result<HypervisorInfo, HypervisorError>>;

  /** Every domain but domain 0, the dying ones included. */
  listDomains(): Promise<Result<readonly Domain[], HypervisorError>>;

  /**
   * Builds a domain and leaves it paused, its devices declared but not yet connected. A domain of
   * the same UUID, name or number is `domain-exists`; a backend that is no domain of this host, or whose kernel
   * does not take a device, is `device-unavailable`. After a failure nothing of the domain is left.
   */
  createDomain(config: DomainConfig): Promise<Result<DomainId, HypervisorError>>;

  /**
   * Tells the disk's backend which device it serves; idempotent. So it is for a driver domain that
   * was built anew under its number while the guest ran: the backend takes the disk up again, if
   * the domain before had let go of it with nothing unfinished. If not, it is `device-unavailable`
   * until the guest is built anew.
   */
  connectDisk(id: DomainId, disk: DiskConfig): Promise<Result<void, HypervisorError>>;

  /**
   * The name of the backend's network interface (`vif3.0`), which the network service joins to the
   * bridge. Where the control domain is the backend, once the interface is there; a driver domain's
   * interfaces are seen in that domain alone, so there the network service waits.
   */
  nicInterface(id: DomainId, index: number): Promise<Result<string, HypervisorError>>;

  /** Tells the NIC's backend that its interface is on the network; idempotent. */
  connectNic(id: DomainId, index: number): Promise<Result<void, HypervisorError>>;

  /**
   * The devices of a domain that no backend serves: the driver domain that served them has ended
   * since, or they were not connected yet.
   */
  unservedDevices(id: DomainId): Promise<Result<UnservedDevices, HypervisorError>>;

  /** Pausing a paused domain, or unpausing a running one, changes nothing and succeeds. */
  unpause(id: DomainId): Promise<Result<void, HypervisorError>>;
  pause(id: DomainId): Promise<Result<void, HypervisorError>>;

  /** Asks the guest to stop by itself; returns once it was asked, not once it has stopped. */
  requestShutdown(
    id: DomainId,
    reason: 'poweroff' | 'reboot',
  ): Promise<Result<void, HypervisorError>>;

  /** Ends the domain and its backends' devices, whatever the guest does; done when it is gone. */
  destroyDomain(id: DomainId): Promise<Result<void, HypervisorError>>;

  openConsole(id: DomainId): Promise<Result<Console, HypervisorError>>;

  /** Calls `listener` whenever a domain appeared, changed its state, or went. Returns a stop. */
  watch(listener: DomainListener): () => void;

  /** Lets go of the hypervisor. Domains run on. */
  close(): Promise<void>;
}
