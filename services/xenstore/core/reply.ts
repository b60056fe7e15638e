import { ok } from '../../../base/result.ts';
import type { Outcome } from './actions.ts';
import type { XenstoreError } from './error.ts';
import { nulTerminated } from './payload.ts';

/** The reply of those requests that have nothing to say. */
export const done: Outcome = ok({ reply: nulTerminated('OK') });

/** A reply of one string. */
export function text(content: string): Outcome {
  return ok({ reply: nulTerminated(content) });
}

const errors = new Map<XenstoreError, Uint8Array>();

/** The payload of ERROR. */
export function errorPayload(error: XenstoreError): Uint8Array {
  let payload = errors.get(error);
  if (payload === undefined) {
    payload = nulTerminated(error);
    errors.set(error, payload);
  }
  return payload;
}
