/**
 * The failures that cross a service's boundary: what `proto/flotilla/pool/v1` calls Reason, in the
 * form the code uses. One table maps them to gRPC statuses (`pool/rpc`).
 */
export const failureReasons = [
  'INVALID_FIELD',
  'NOT_FOUND',
  'NAME_TAKEN',
  'WRONG_STATE',
  'BUSY',
  'NO_HOST_FITS',
  'HOST_UNREACHABLE',
  'NO_SPACE',
  'BOOT_FILE',
  'DATABASE_UNAVAILABLE',
  'CONFLICT',
  'REVISION_COMPACTED',
  'WATCH_TOO_SLOW',
  'STALE_EPOCH',
  'HYPERVISOR',
  'SERVICE_UNAVAILABLE',
  'STORAGE',
  'NETWORK',
  'CANCELLED',
  'LIMIT',
  'FORBIDDEN',
  'XENSTORE',
  'NOT_IMPLEMENTED',
  'IMAGE',
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** What a failure is about. */
export interface FailureResource {
  /** `vm`, `host`, `operation`, `sr`, `vdi`, `network`. */
  readonly type: string;
  /** Its name or id, as the request gave it. */
  readonly name: string;
}

/** A failure that an operator is to understand and to act on. */
export interface Failure {
  readonly reason: FailureReason;
  /** What failed and why: one sentence, without a full stop, that begins in lower case. */
  readonly message: string;
  /** What to do next, as a sentence; empty where there is nothing to do. */
  readonly remedy: string;
  readonly resource?: FailureResource | undefined;
  /** The field of the request that was refused: `vm.disks[0].size`. */
  readonly field?: string | undefined;
}

/** Failures of an absence that passes: the same call may succeed when it is made again. */
export function isTransient(failure: Failure): boolean {
  return failure.reason === 'SERVICE_UNAVAILABLE' || failure.reason === 'DATABASE_UNAVAILABLE';
}
