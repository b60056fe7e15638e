/**
 * Why the core refuses a request. It has the form of a pool failure (`pool/failure.ts`) with the
 * reasons that this core gives, so that an adapter passes it on as it is.
 */
export interface Refusal {
  readonly reason:
    | 'INVALID_FIELD'
    | 'WRONG_STATE'
    | 'BUSY'
    | 'NO_HOST_FITS'
    | 'HOST_UNREACHABLE'
    | 'LIMIT';
  /** What failed and why: one sentence without a full stop. */
  readonly message: string;
  /** What to do next, as a sentence; empty where there is nothing to do. */
  readonly remedy: string;
  readonly resource?: { readonly type: string; readonly name: string } | undefined;
  /** The field of the request that was refused: `vm.disks[0].size`. */
  readonly field?: string | undefined;
}

/** A refusal about a VM. */
export function refuseVm(
  reason: Refusal['reason'],
  vm: string,
  message: string,
  remedy: string,
): Refusal {
  return { reason, message, remedy, resource: { type: 'vm', name: vm } };
}
