import type { DomainUuid, HypervisorErrorCode } from '../../port.ts';
import type { CallKind } from './vocabulary.ts';

/** What a fault does when its moment has come. */
export type FaultEffect =
  /** The call fails with this code, after its usual latency, and leaves nothing behind. */
  | { readonly kind: 'call-fails'; readonly call: CallKind; readonly code: HypervisorErrorCode }
  /** The call never answers. `createDomain` leaves its domain half built. */
  | { readonly kind: 'call-hangs'; readonly call: CallKind }
  /** The guest does not react to a request to shut down. */
  | { readonly kind: 'guest-ignores-shutdown' }
  /** The guest crashes in the middle of its boot. */
  | { readonly kind: 'guest-crashes' }
  /** The console ends at the guest's next output though the domain runs on. */
  | { readonly kind: 'console-breaks' };

/** A fault that waits for its moment. */
export interface Fault {
  readonly effect: FaultEffect;
  /** The domain that it strikes, or null for the first that comes. */
  readonly uuid: DomainUuid | null;
  /** How often it strikes before it is spent; at least 1. */
  readonly times: number;
}

/** Faults that may wait at once: a test that injects more has lost count. */
export const faultsMax = 256;

/** Uses up one strike of the first fault that matches, and returns its effect. */
export function strike<Effect extends FaultEffect>(
  faults: Fault[],
  uuid: DomainUuid | null,
  matches: (effect: FaultEffect) => effect is Effect,
): Effect | null {
  for (const [position, fault] of faults.entries()) {
    if (fault.uuid !== null && fault.uuid !== uuid) continue;
    if (!matches(fault.effect)) continue;
    if (fault.times > 1) faults[position] = { ...fault, times: fault.times - 1 };
    else faults.splice(position, 1);
    return fault.effect;
  }
  return null;
}

/** Uses up a fault that struck this call, if there is one. */
export function strikeCall(
  faults: Fault[],
  uuid: DomainUuid | null,
  call: CallKind,
): Extract<FaultEffect, { call: CallKind }> | null {
  return strike(
    faults,
    uuid,
    (effect): effect is Extract<FaultEffect, { call: CallKind }> =>
      (effect.kind === 'call-fails' || effect.kind === 'call-hangs') && effect.call === call,
  );
}

/** Uses up a fault of the guest or its console, and says whether there was one. */
export function strikeGuest(
  faults: Fault[],
  uuid: DomainUuid,
  kind: 'guest-ignores-shutdown' | 'guest-crashes' | 'console-breaks',
): boolean {
  const effect = strike(
    faults,
    uuid,
    (candidate): candidate is FaultEffect => candidate.kind === kind,
  );
  return effect !== null;
}
