import { ok } from '../../../base/result.ts';
import type { Outcome } from './actions.ts';
import { nulTerminated } from './payload.ts';

/** The reply of those requests that have nothing to say. */
export const done: Outcome = ok({ reply: nulTerminated('OK') });

/** A reply of one string. */
export function text(content: string): Outcome {
  return ok({ reply: nulTerminated(content) });
}
