import type { Refusal } from './refusal.ts';

/** One field of a request that is not accepted. */
export interface Violation {
  /** `vm.disks[0].size`. */
  readonly field: string;
  /** What was given and what is accepted: a sentence without a full stop. */
  readonly message: string;
}

/** One refusal for all violations of a request: its field is the first one's. */
export function refuseViolations(violations: readonly Violation[]): Refusal | null {
  const [first, ...others] = violations;
  if (first === undefined) return null;
  const message =
    others.length === 0
      ? `${first.field}: ${first.message}`
      : `${violations.length} fields are not accepted: ${violations.map((each) => `${each.field}: ${each.message}`).join('; ')}`;
  return {
    reason: 'INVALID_FIELD',
    message,
    remedy: 'Correct the request; nothing was changed.',
    field: first.field,
  };
}

/** At most this much of a refused text is repeated to the caller. */
const quoted = 80;

/** A refused text as it is repeated to the caller: quoted, and bounded. */
export function quote(text: string): string {
  return JSON.stringify(text.length > quoted ? `${text.slice(0, quoted)}...` : text);
}
