import { messageTypes as types } from '../../../services/xenstore/core/wire.ts';
import { cameBefore, changing, type Found, type FoundRequest, outcomeOf } from './found.ts';
import { rules } from './rules.ts';

/** A documented difference that a finding is. */
export interface Explanation {
  /** The first column of SPEC.md, "Where the daemons differ". */
  readonly name: string;
  /** Whether the stores may not be the same any more: there is nothing to compare afterwards. */
  readonly parts: boolean;
}

/** What explains the end of a domain. */
export const endNames = [
  'nodes of a domain that is gone',
  'the root of a domain that is gone',
  'SET_TARGET of a domain that was released',
] as const;

/** The documented difference that explains a finding; null where none does. */
export function explain(found: Found): Explanation | null {
  const { peer, step, ours, theirs } = found;
  if (step.kind !== 'request') return explainEnd(found);
  const request: FoundRequest = {
    ...found,
    step,
    us: outcomeOf(ours),
    them: outcomeOf(theirs),
    strings: step.payload.split('\0'),
  };
  const rule = rules[peer].find((each) => each.fits(request));
  if (rule !== undefined) return { name: rule.name, parts: parts(request) };
  return step.type === types.RELEASE ? explainEnd(found) : null;
}

/** The end of a domain. */
function explainEnd(found: Found): Explanation | null {
  const { peer, step } = found;
  if (step.kind === 'reconnect' || step.kind === 'shutdown') return null;
  if (peer === 'oxenstored') return { name: endNames[0], parts: true };
  if (cameBefore(found, types.SET_TARGET)) return { name: endNames[2], parts: true };
  // Whoever owns the root takes everything with it.
  return cameBefore(found, types.SET_PERMS, '/') ? { name: endNames[1], parts: true } : null;
}

/** Where both refuse, or nothing is changed, the stores stay the same. */
function parts({ step, us, them, ours, theirs }: FoundRequest): boolean {
  if ([us, them].some((each) => ['closed', 'crashed', 'waiting'].includes(each))) return true;
  if (ours.events.join('\n') !== theirs.events.join('\n')) return true;
  const bothRefuse = us !== 'ok' && them !== 'ok';
  const stays = !changing.has(step.type) && step.type !== types.WATCH;
  return !bothRefuse && !stays;
}
