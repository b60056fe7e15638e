import { messageTypes as types } from '../../../services/xenstore/core/wire.ts';
import { askedInTransaction, type Done, stringsIn } from './found.ts';
import { guests, isGuest, type Step } from './step.ts';
import type { Subject } from './subject.ts';

/** As in SPEC.md. */
export const ownerOfMade = 'the owner of what a guest makes';

type Request = Extract<Step, { kind: 'request' }>;

/**
 * Whether oxenstored has made a guest's new node that of the parent's owner. Inside a transaction nobody
 * can look without having read: there it is enough that it may have.
 */
export async function givesAway(
  { step, us }: Done,
  before: readonly Done[],
  ours: Subject,
  theirs: Subject,
): Promise<boolean> {
  if (step.kind !== 'request' || !isGuest(step.by) || us !== 'ok') return false;
  if (step.type !== types.MKDIR && step.type !== types.WRITE) return false;
  const named = step.payload.split('\0')[0] ?? '';
  const domain = guests[step.by];
  const path = named.startsWith('/') ? named : `/local/domain/${domain}/${named}`;
  if (step.transaction === 0) return (await ownerIn(ours, path)) !== (await ownerIn(theirs, path));
  const isKept = (await ownerIn(ours, path)) !== null && !hasRemoved(step, before);
  return !isKept && (await nearestOwner(ours, path)) !== `${domain}`;
}

function hasRemoved(step: Request, before: readonly Done[]): boolean {
  return askedInTransaction(step, before).some(
    (each) => each.step.kind === 'request' && each.step.type === types.RM && each.us === 'ok',
  );
}

/** The owner of a node as the control domain sees it; null where there is no such node. */
async function ownerIn(subject: Subject, path: string): Promise<string | null> {
  const told = await subject.perform({
    ...{ kind: 'request', by: 'one', type: types.GET_PERMS, transaction: 0 },
    payload: `${path}\0`,
  });
  if (told.reply.kind !== 'reply' || told.reply.type === types.ERROR) return null;
  return stringsIn(told)[0]?.slice(1) ?? null;
}

/** The owner of the nearest node above that is there, or of the node itself. */
async function nearestOwner(subject: Subject, path: string): Promise<string | null> {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const owner = await ownerIn(subject, at);
    if (owner !== null) return owner;
  }
  return ownerIn(subject, '/');
}
