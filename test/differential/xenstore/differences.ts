import { messageTypes as types } from '../../../services/xenstore/core/wire.ts';
import { endOf, endRules, isToldOfShutdownAgain, toldOfShutdownAgain } from './ends.ts';
import { changing, endedBy, type Found, type FoundRequest, outcomeOf } from './found.ts';
import { rules } from './rules.ts';

/** A documented difference that a finding is. */
export interface Explanation {
  /** The first column of SPEC.md, "Where the daemons differ". */
  readonly name: string;
  /** Whether the stores may not be the same any more: there is nothing to compare afterwards. */
  readonly parts: boolean;
}

/** The documented difference that explains a finding; null where none does. */
export function explain(found: Found): Explanation | null {
  const { peer, step, ours, theirs } = found;
  const gone = endedBy(step);
  const end = gone === null ? null : endOf(found, gone);
  const endRule = end === null ? undefined : endRules[peer].find((each) => each.fits(end));
  if (endRule !== undefined) return { name: endRule.name, parts: !isLeftSame(found) };
  if (isToldOfShutdownAgain(found) && isLeftSame(found))
    return { name: toldOfShutdownAgain, parts: false };
  if (step.kind !== 'request') return null;
  const request: FoundRequest = {
    ...found,
    step,
    us: outcomeOf(ours),
    them: outcomeOf(theirs),
    strings: step.payload.split('\0'),
  };
  const rule = rules[peer].find((each) => each.fits(request));
  if (rule === undefined) return null;
  const parting = rule.parts ?? parts(request);
  // What is different in a reply alone does not explain why there is something else afterwards.
  return parting || isLeftSame(found) ? { name: rule.name, parts: parting } : null;
}

function isLeftSame({ ours, theirs }: Found): boolean {
  return JSON.stringify(ours.there) === JSON.stringify(theirs.there);
}

/** Where both refuse, or nothing is changed, the stores stay the same. */
function parts({ step, us, them, ours, theirs }: FoundRequest): boolean {
  if ([us, them].some((each) => ['closed', 'crashed', 'waiting'].includes(each))) return true;
  if (ours.events.join('\n') !== theirs.events.join('\n')) return true;
  const bothRefuse = us !== 'ok' && them !== 'ok';
  const stays = !changing.has(step.type) && step.type !== types.WATCH;
  return !bothRefuse && !stays;
}
