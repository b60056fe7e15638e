import type { Result } from '../../../base/result.ts';
import type { Bytes } from '../../../base/units.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Epoch, OperationId, SrId, VdiId, VmId } from '../../../pool/records/identifiers.ts';

/** A disk in use on this host, by the claim that it was attached for. */
export interface AttachedDisk {
  readonly vdi: VdiId;
  readonly vm: VmId;
  readonly epoch: Epoch;
}

/** The port to the storage service of the same host. `grpc-storage.ts` implements it. */
export interface HostStorage {
  /** Makes a disk usable here for one claim; again under the same claim, it is the same path. */
  attach(disk: AttachedDisk & { readonly readOnly: boolean }): Promise<Result<string, Failure>>;
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
