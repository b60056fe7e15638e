import { messageTypes as types } from '../../../services/xenstore/core/wire.ts';
import type { PeerName } from '../../peers/peer.ts';
import {
  type Client,
  type Guest,
  guests,
  isGuest,
  type Observation,
  type Step,
  type Told,
} from './step.ts';

/** A step that both have done. */
export interface Done {
  readonly step: Step;
  /** What ours answered: the name of the error, `ok`, or what came instead of a reply. */
  readonly us: string;
}

/** Something that is not the same with ours and with a peer. */
export interface Found {
  readonly peer: PeerName;
  readonly step: Step;
  readonly before: readonly Done[];
  readonly ours: Observation;
  readonly theirs: Observation;
}

/** A request that found a difference, with what is asked about it again and again. */
export interface FoundRequest extends Found {
  readonly step: Extract<Step, { kind: 'request' }>;
  /** The name of the error, `ok`, or what came instead of a reply. */
  readonly us: string;
  readonly them: string;
  readonly strings: readonly string[];
}

/** Requests that may change what is kept. */
export const changing: ReadonlySet<number> = new Set([
  ...[types.WRITE, types.MKDIR, types.RM, types.SET_PERMS, types.TRANSACTION_END],
  ...[types.RELEASE, types.INTRODUCE, types.SET_TARGET],
]);

const ofOneString: ReadonlySet<number> = new Set([
  ...[types.READ, types.MKDIR, types.RM, types.DIRECTORY, types.GET_PERMS, types.TRANSACTION_END],
  ...[types.RELEASE, types.RESUME, types.GET_DOMAIN_PATH, types.IS_DOMAIN_INTRODUCED],
]);

/** Whether a payload is not the strings that its type wants. */
export function isMalformed({ step: { type, payload } }: FoundRequest): boolean {
  const first = payload.indexOf('\0');
  if (ofOneString.has(type)) return first < 0 || first !== payload.length - 1;
  if (type === types.WRITE) return first < 0;
  return !payload.endsWith('\0') || payload.split('\0').length !== 3;
}

/** Whether anybody has changed something since the transaction began that is asked in, or ended. */
export function isInterfered({ step, before }: FoundRequest): boolean {
  const began = openTransactions(step, before)[step.transaction - 1] ?? -1;
  return before
    .slice(began + 1)
    .some((each) => each.step.kind !== 'request' || changing.has(each.step.type));
}

function hasBegun({ step, us }: Done): boolean {
  return step.kind === 'request' && step.type === types.TRANSACTION_START && us === 'ok';
}

/** What the client has asked in the transaction that it asks in now. */
export function askedInTransaction(
  step: FoundRequest['step'],
  before: readonly Done[],
): readonly Done[] {
  const began = openTransactions(step, before)[step.transaction - 1];
  if (began === undefined) return [];
  return before.filter(({ step: other }, at) => {
    if (other.kind !== 'request' || other.by !== step.by || at <= began) return false;
    return openTransactions(step, before.slice(0, at))[other.transaction - 1] === began;
  });
}

/** Where the transactions of the client have begun, as its steps count them: the newest first. */
function openTransactions(
  { by }: FoundRequest['step'],
  before: readonly Done[],
): readonly number[] {
  const domain = isGuest(by) ? guests[by] : null;
  let begun: number[] = [];
  for (const [at, done] of before.entries()) {
    if (startsAnew(done.step, by, domain)) begun = [];
    if (done.step.kind === 'request' && done.step.by === by && hasBegun(done))
      begun = [at, ...begun];
  }
  return begun;
}

/** Whether a client has no transactions any more. */
function startsAnew(step: Step, by: Client, domain: number | null): boolean {
  switch (step.kind) {
    case 'reconnect':
      return step.by === by;
    case 'death':
      return guests[step.domain] === domain;
    case 'shutdown':
      return false;
    case 'request':
      return (
        (step.type === types.INTRODUCE || step.type === types.RELEASE) &&
        step.payload.startsWith(`${domain}\0`)
      );
  }
}

/** Whether a request of this type was done before, about this path if one is given. */
export function cameBefore({ before }: Found, type: number, path: string | null = null): boolean {
  return before.some(
    ({ step, us }) =>
      step.kind === 'request' &&
      step.type === type &&
      us === 'ok' &&
      (path === null || step.payload.startsWith(`${path}\0`)),
  );
}

/** Whether a domain has ended before: it was released, or the hypervisor has told of its death. */
export function hasEnded(found: Found): boolean {
  return cameBefore(found, types.RELEASE) || found.before.some(({ step }) => step.kind === 'death');
}

/** The domain that ends with a step, if one does; it may be none that is served. */
export function endedBy(step: Step): number | null {
  if (step.kind === 'death') return guests[step.domain];
  if (step.kind !== 'request' || step.type !== types.RELEASE) return null;
  return Number.parseInt(step.payload, 10);
}

/** The domains that have ended before. */
export function goneBefore(before: readonly Done[]): ReadonlySet<number> {
  const gone = new Set<number>();
  for (const { step, us } of before) {
    const ended = us === 'ok' || step.kind === 'death' ? endedBy(step) : null;
    if (ended !== null) gone.add(ended);
  }
  return gone;
}

/** Whether a guest was introduced more than once. */
export function wasIntroducedAgain({ before }: Found, guest: Guest): boolean {
  const introductions = before.filter(
    ({ step, us }) =>
      step.kind === 'request' &&
      step.type === types.INTRODUCE &&
      us === 'ok' &&
      step.payload.startsWith(`${guests[guest]}\0`),
  );
  return introductions.length > 1;
}

/** The names of a list, in an order that says nothing. */
export function namesOf({ reply }: Observation): readonly string[] {
  return reply.kind === 'reply' ? reply.payload.split('\0').sort() : [];
}

/** The strings of a reply, which end with a NUL each. */
export function stringsIn({ reply }: Told): readonly string[] {
  return reply.kind === 'reply' ? reply.payload.split('\0').slice(0, -1) : [];
}

/** What a reply comes to. */
export function outcomeOf({ reply }: Told): string {
  if (reply.kind !== 'reply') return reply.kind;
  return reply.type === types.ERROR ? reply.payload.slice(0, -1) : 'ok';
}
