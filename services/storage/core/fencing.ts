/**
 * Fencing: a disk has at most one writer, whatever is lost or repeated. The pool database holds one
 * attachment per disk, the newest claim that was given it, and the epoch of the newest claim of each
 * VM. What is decided here is written in one transaction that compares what it was decided from.
 */

/** One claim of a VM on a disk. */
export interface Claim {
  readonly vm: string;
  /** Raised by one whenever a host claims the VM. */
  readonly epoch: number;
  readonly readOnly: boolean;
}

/** What is known when a claim asks for a disk. */
export interface Known {
  /** Who has the disk; null: nobody. */
  readonly attached: Claim | null;
  /** The epoch of the newest claim of the VM that asks; null: the pool has no such VM. */
  readonly newestEpoch: number | null;
}

/** Whether a claim is given a disk. */
export type AttachDecision =
  /** It is: write it down as the attachment, then make the disk usable. */
  | { readonly kind: 'attach' }
  /** It already was: make sure that the disk is usable, write nothing. */
  | { readonly kind: 'already' }
  | Refusal;

/** Why a claim is not given a disk. */
export type Refusal =
  /** A newer claim of the same VM exists. */
  | { readonly kind: 'stale'; readonly newest: number }
  /** No claim of this epoch was ever made. */
  | { readonly kind: 'unclaimed'; readonly newest: number }
  | { readonly kind: 'no-vm' }
  /** Another VM has it. */
  | { readonly kind: 'in-use'; readonly by: string }
  /** This very claim has it the other way: writable instead of read-only, or the reverse. */
  | { readonly kind: 'other-mode' };

/**
 * Decides whether `claim` is given the disk. The epoch in the VM's record counts as well as the one
 * of the attachment: a claim that is over stays refused after its successor has detached.
 */
export function decideAttach(known: Known, claim: Claim): AttachDecision {
  const { attached, newestEpoch } = known;
  if (newestEpoch === null) return { kind: 'no-vm' };
  const seen = attached?.vm === claim.vm ? Math.max(newestEpoch, attached.epoch) : newestEpoch;
  if (claim.epoch < seen) return { kind: 'stale', newest: seen };
  if (claim.epoch > newestEpoch) return { kind: 'unclaimed', newest: newestEpoch };
  if (attached === null) return { kind: 'attach' };
  if (attached.vm !== claim.vm) return { kind: 'in-use', by: attached.vm };
  if (attached.epoch < claim.epoch) return { kind: 'attach' };
  return attached.readOnly === claim.readOnly ? { kind: 'already' } : { kind: 'other-mode' };
}

/**
 * Whether `claim` takes the disk back. A claim detaches its own attachment and those of older claims
 * of its VM; what others have is not its to detach, so then there is nothing to do.
 */
export function decideDetach(
  attached: Claim | null,
  claim: Omit<Claim, 'readOnly'>,
): 'detach' | 'nothing' {
  if (attached === null || attached.vm !== claim.vm) return 'nothing';
  return attached.epoch <= claim.epoch ? 'detach' : 'nothing';
}
