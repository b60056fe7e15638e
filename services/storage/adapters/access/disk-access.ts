import type { Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';

/** An image that is open for a backend. */
export interface OpenImage {
  /** The image, as its store names it. */
  readonly image: string;
  /** What a backend opens. */
  readonly device: string;
}

/** What a backend opens, in the domain that this service runs in. */
export interface Opened {
  readonly path: string;
  /** The block device's number, `7:3`; empty where it is none. */
  readonly device: string;
}

/**
 * The port to how an image becomes something that a domain's backend can open on this host. Every
 * call is idempotent. A caller does not start a second call about one image before the first has
 * ended. The failures are STORAGE, and BUSY where a backend still has the image open.
 */
export interface DiskAccess {
  /** Makes an image usable, and returns what a backend opens. Again: the same device. */
  open(image: string, readOnly: boolean): Promise<Result<Opened, Failure>>;
  /**
   * Undoes `open`. When it has succeeded nobody on this host can reach the image through a device
   * any more; until a backend has let go it fails with BUSY.
   */
  close(image: string): Promise<Result<void, Failure>>;
  /** What is open of the images in a folder; null where this way leaves no trace of it. */
  list(directory: string): Promise<Result<readonly OpenImage[] | null, Failure>>;
}
