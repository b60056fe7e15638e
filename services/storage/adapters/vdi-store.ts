import type { Result } from '../../../base/result.ts';
import type { Bytes } from '../../../base/units.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { VdiId } from '../../../pool/records/identifiers.ts';

/** One disk image, as it lies in its store. */
export interface Image {
  readonly id: VdiId;
  /** What a guest sees. */
  readonly virtualSize: Bytes;
  /** The image itself, on this host. */
  readonly path: string;
}

/** The space underneath a store. */
export interface Space {
  readonly physicalSize: Bytes;
  /** What this process could still write. */
  readonly physicalFree: Bytes;
}

/**
 * The port to where the disk images of one SR lie. Every call is idempotent, and once it has
 * returned its effect survives a loss of power. A caller does not start a second call about one
 * image before the first has ended. The failures are NO_SPACE and STORAGE.
 */
export interface VdiStore {
  /** Where the images lie, as the kernel names it. */
  readonly directory: string;

  /**
   * Makes an image that reads as zeros. It appears whole or not at all. An image of this id and size
   * is left as it is; one of another size is STORAGE. More than the free space is NO_SPACE.
   */
  create(id: VdiId, virtualSize: Bytes): Promise<Result<Image, Failure>>;

  /** The image of this id, or null. */
  find(id: VdiId): Promise<Result<Image | null, Failure>>;

  /** Deletes an image and what it holds; deleting what is not there succeeds. */
  remove(id: VdiId): Promise<Result<void, Failure>>;

  /** Every image, in the order of ids. */
  list(): Promise<Result<readonly Image[], Failure>>;

  space(): Promise<Result<Space, Failure>>;
}
