import type { Result } from '../../../base/result.ts';
import type { Bytes } from '../../../base/units.ts';
import type { DomainId } from '../../../hypervisor/port.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Epoch, OperationId, SrId, VdiId, VmId } from '../../../pool/records/identifiers.ts';

/** A disk in use on this host, by the claim that it was attached for. */
export interface AttachedDisk {
  readonly vdi: VdiId;
  readonly vm: VmId;
  readonly epoch: Epoch;
}

/** What a disk is served from. */
export interface ServedDisk {
  /** What the backend opens, in its own domain. */
  readonly path: string;
  /** The number of that block device, `7:3`; null where it is none, or none is needed. */
  readonly device: string | null;
  /** The domain that serves it: the one in which the storage service runs. */
  readonly backend: DomainId;
}

/** The port to the storage service of the same host. `grpc-storage.ts` implements it. */
export interface HostStorage {
  /** Makes a disk usable here for one claim; again under the same claim, it is the same device. */
  attach(disk: AttachedDisk & { readonly readOnly: boolean }): Promise<Result<ServedDisk, Failure>>;
  /** Undoes `attach`; what is not attached under this claim is a success. */
  detach(disk: AttachedDisk): Promise<Result<void, Failure>>;
  /** What is attached on this host now. */
  attachments(): Promise<Result<readonly AttachedDisk[], Failure>>;
  /** Begins to make a disk image of a chosen id; again, it is the same operation. */
  create(image: {
    readonly vdi: VdiId;
    readonly name: string;
    readonly sr: SrId;
    readonly size: Bytes;
  }): Promise<Result<OperationId, Failure>>;
  /** Begins to delete a disk image; null: there is none of this id. */
  remove(vdi: VdiId): Promise<Result<OperationId | null, Failure>>;
}
