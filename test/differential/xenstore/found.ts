import { messageTypes as types } from '../../../services/xenstore/core/wire.ts';
import type { PeerName } from '../../peers/peer.ts';
import { guests, isGuest, type Observation, type Step } from './step.ts';

/** Something that is not the same with ours and with a peer. */
export interface Found {
  readonly peer: PeerName;
  readonly step: Step;
  readonly before: readonly Step[];
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

/** Whether anybody has changed something since the client's transaction began. */
export function isInterfered({ step, before }: FoundRequest): boolean {
  const began = before.findLastIndex(
    (each) =>
      each.kind === 'request' && each.by === step.by && each.type === types.TRANSACTION_START,
  );
  return before.slice(began + 1).some((each) => each.kind !== 'request' || changing.has(each.type));
}

/** Whether a request of this type came before, about this path if one is given. */
export function cameBefore({ before }: Found, type: number, path: string | null = null): boolean {
  return before.some(
    (each) =>
      each.kind === 'request' &&
      each.type === type &&
      (path === null || each.payload.startsWith(`${path}\0`)),
  );
}

/** Whether a domain has ended before: it was released, or the hypervisor has told of its death. */
export function hasEnded(found: Found): boolean {
  return cameBefore(found, types.RELEASE) || found.before.some(({ kind }) => kind === 'death');
}

/** How often the domain of the guest that asks was introduced before. */
export function introductionsOf({ step, before }: Found): number {
  if (step.kind !== 'request' || !isGuest(step.by)) return 0;
  const domain = guests[step.by];
  return before.filter(
    (each) =>
      each.kind === 'request' &&
      each.type === types.INTRODUCE &&
      each.payload.startsWith(`${domain}\0`),
  ).length;
}

/** The names of a list, in an order that says nothing. */
export function namesOf({ reply }: Observation): readonly string[] {
  return reply.kind === 'reply' ? reply.payload.split('\0').sort() : [];
}

/** What a reply comes to. */
export function outcomeOf({ reply }: Observation): string {
  if (reply.kind !== 'reply') return reply.kind;
  return reply.type === types.ERROR ? reply.payload.slice(0, -1) : 'ok';
}
