import { firstReservedDomain } from '../../../services/xenstore/core/permissions.ts';
import { payloadMax, messageTypes as types } from '../../../services/xenstore/core/wire.ts';
import type { PeerName } from '../../peers/peer.ts';
import {
  askedInTransaction,
  cameBefore,
  type FoundRequest,
  goneBefore,
  hasEnded,
  isInterfered,
  isMalformed,
  namesOf,
  stringsIn,
  wasIntroducedAgain,
} from './found.ts';
import { withoutStaleEntries } from './inventory.ts';
import { clients, guests, isGuest } from './step.ts';

/** A difference that SPEC.md names, and which findings are of its kind. */
export interface Rule {
  /** The first column of SPEC.md, "Where the daemons differ". */
  readonly name: string;
  readonly fits: (request: FoundRequest) => boolean;
  /** Whether the stores are no longer the same, where the request and its replies do not tell. */
  readonly parts?: boolean;
}

const newest: ReadonlySet<number> = new Set([
  ...[types.GET_FEATURE, types.SET_FEATURE, types.GET_QUOTA, types.SET_QUOTA],
]);

const valueLength = ({ step, strings }: FoundRequest): number =>
  step.payload.length - (strings[0] ?? '').length - 1;

const ofDomains: ReadonlySet<number> = new Set([
  ...[types.GET_DOMAIN_PATH, types.IS_DOMAIN_INTRODUCED, types.RELEASE, types.RESUME],
  ...[types.INTRODUCE, types.SET_TARGET],
]);

/** Whether we do not take it as an entry of permissions. */
function isNoEntry(text: string): boolean {
  return !/^[nrwb](0|[1-9]\d{0,4})$/.test(text) || Number(text.slice(1)) >= firstReservedDomain;
}

/** Whether the first entry of permissions names a domain that there is not. */
function isOwnerMissing({ strings }: FoundRequest): boolean {
  const owner = Number(strings[1]?.slice(1));
  return owner !== 0 && !Object.values<number>(guests).includes(owner);
}

/** Whether the transaction has changed something: MKDIR and RM may have found nothing to do. */
function hasWritten(found: FoundRequest): boolean {
  return askedInTransaction(found.step, found.before).some(
    ({ step, us }) =>
      step.kind === 'request' &&
      (step.type === types.WRITE || step.type === types.SET_PERMS) &&
      us === 'ok',
  );
}

/** C shows it, and it grants nothing. */
export const entryOfGone = 'an entry for a domain that is gone';

/** Whether nothing is different but that guests are told more which were introduced again. */
function isToldToIntroducedAgain(found: FoundRequest): boolean {
  const { ours, theirs } = found;
  const again = clients.filter(isGuest).filter((guest) => wasIntroducedAgain(found, guest));
  const more = theirs.events.filter((event) => !ours.events.includes(event));
  return (
    JSON.stringify(ours.reply) === JSON.stringify(theirs.reply) &&
    ours.events.every((event) => theirs.events.includes(event)) &&
    more.every((event) => again.some((guest) => event.startsWith(`${guest} `)))
  );
}

/** Of either peer. */
const rulesOfBoth: readonly Rule[] = [
  {
    name: 'a payload of more than 4096 bytes',
    fits: ({ step }) => step.payload.length > payloadMax,
  },
  {
    name: 'a payload that is not the strings that its request wants',
    fits: (found) => isMalformed(found) && (found.us === 'EINVAL' || found.them === 'EINVAL'),
  },
  {
    name: 'features and quotas by messages',
    fits: ({ step, them }) => newest.has(step.type) && (them === 'ENOSYS' || them === 'EINVAL'),
  },
  {
    name: 'the permissions of special events',
    fits: ({ step, strings }) =>
      (step.type === types.GET_PERMS || step.type === types.SET_PERMS) &&
      strings[0]?.startsWith('@') === true,
  },
  {
    name: 'a node that a transaction wrote only',
    fits: (found) =>
      found.step.type === types.TRANSACTION_END &&
      found.us === 'ok' &&
      found.them === 'EAGAIN' &&
      isInterfered(found),
  },
  {
    name: 'a guest names another owner',
    fits: ({ step, us, them }) =>
      step.type === types.SET_PERMS && us === 'EPERM' && them === 'EACCES',
  },
  {
    name: 'domid texts',
    fits: ({ step, us, strings }) =>
      us === 'EINVAL' &&
      (step.type === types.SET_PERMS
        ? strings.slice(1, -1).some(isNoEntry)
        : ofDomains.has(step.type) && !/^(0|[1-9]\d{0,4})$/.test(strings[0] ?? '')),
  },
  {
    name: 'UNWATCH of what is no path',
    fits: ({ step, us, them }) =>
      step.type === types.UNWATCH && us === 'EINVAL' && them === 'ENOENT',
  },
  {
    name: 'a quota of n',
    fits: ({ step, us, them }) => isGuest(step.by) && (us === 'ENOSPC') !== (them === 'ENOSPC'),
  },
  {
    name: 'the size of a node',
    fits: (found) =>
      found.step.type === types.WRITE &&
      valueLength(found) > 1900 &&
      [found.us, found.them].some((each) => each === 'E2BIG' || each === 'ENOSPC'),
  },
];

const rulesOfC: readonly Rule[] = [
  {
    name: entryOfGone,
    fits: ({ step, us, them, ours, theirs, before }) =>
      step.type === types.GET_PERMS &&
      us === 'ok' &&
      them === 'ok' &&
      withoutStaleEntries(stringsIn(theirs), stringsIn(ours), goneBefore(before)).join() ===
        stringsIn(ours).join(),
  },
  {
    name: 'an event that is on its way already',
    fits: ({ ours, theirs }) =>
      JSON.stringify(ours.reply) === JSON.stringify(theirs.reply) &&
      [...new Set(ours.events)].join() === [...new Set(theirs.events)].join(),
  },
  {
    name: 'what a transaction reads that was changed since it began',
    fits: (found) => found.step.transaction > 0 && isInterfered(found),
  },
  {
    name: 'an offset of DIRECTORY_PART that is no number, or within a name',
    fits: ({ step }) => step.type === types.DIRECTORY_PART,
  },
  {
    name: 'a path of more than 1024 bytes',
    fits: ({ strings, them }) => (strings[0] ?? '').length > 2048 && them === 'EINVAL',
  },
];

const rulesOfOCaml: readonly Rule[] = [
  {
    name: 'a value that is refused, where parents are missing',
    fits: ({ step, us, them }) =>
      step.type === types.WRITE && us === 'ENOSPC' && (them === 'E2BIG' || them === 'ENOSPC'),
    parts: true,
  },
  {
    name: 'an owner that does not exist',
    fits: (found) =>
      found.step.type === types.SET_PERMS &&
      found.us === 'ENOENT' &&
      ['ok', 'EINVAL', 'EACCES'].includes(found.them) &&
      isOwnerMissing(found),
  },
  {
    name: 'CONTROL of a guest, or of an unknown command',
    fits: ({ step, us, them }) =>
      step.type === types.CONTROL && (us === 'EACCES' || us === 'EINVAL') && them === 'ok',
  },
  {
    name: 'a transaction that changed nothing',
    fits: (found) =>
      found.step.type === types.TRANSACTION_END &&
      found.us === 'EAGAIN' &&
      found.them === 'ok' &&
      isInterfered(found) &&
      !hasWritten(found),
    parts: false,
  },
  {
    name: 'an event of what was made below what the watcher may not read',
    fits: ({ step, us, them, ours, theirs }) =>
      (step.type === types.WRITE || step.type === types.MKDIR) &&
      us === 'ok' &&
      them === 'ok' &&
      theirs.events.every((event) => ours.events.includes(event)),
  },
  {
    name: 'an event of the root',
    fits: ({ step, us, them, strings, ours, theirs }) =>
      (step.type === types.SET_PERMS || step.type === types.WRITE) &&
      strings[0] === '/' &&
      us === 'ok' &&
      them === 'ok' &&
      theirs.events.every((event) => ours.events.includes(event)),
    parts: false,
  },
  {
    name: 'a watch below a removed node, of what was not there',
    fits: ({ step, us, them, ours, theirs }) =>
      step.type === types.RM &&
      us === them &&
      ours.events.every((event) => theirs.events.includes(event)),
  },
  {
    name: 'SET_TARGET to a domain that is not served',
    fits: ({ step, us, them }) =>
      step.type === types.SET_TARGET && us === 'ENOENT' && them === 'ok',
  },
  {
    name: 'who acted for a domain that was released',
    fits: (found) =>
      isGuest(found.step.by) &&
      found.us === 'EACCES' &&
      cameBefore(found, types.SET_TARGET) &&
      hasEnded(found),
  },
  {
    name: 'INTRODUCE of a domain that is served',
    fits: (found) =>
      (isGuest(found.step.by) &&
        [types.WATCH, types.UNWATCH].some((type) => type === found.step.type) &&
        wasIntroducedAgain(found, found.step.by)) ||
      isToldToIntroducedAgain(found),
    parts: false,
  },
  {
    name: 'a special event as the path of a node',
    fits: ({ us, strings }) => us === 'EINVAL' && strings[0]?.startsWith('@') === true,
  },
  { name: 'DIRECTORY_PART', fits: ({ step }) => step.type === types.DIRECTORY_PART },
  {
    name: 'an unknown transaction',
    fits: ({ step, us, them }) => step.transaction !== 0 && us !== 'ok' && them === 'EIO',
  },
  {
    name: 'a missing node below one that the caller may not read',
    fits: ({ us, them }) => us === 'EACCES' && them === 'ENOENT',
  },
  {
    name: 'the order of a list',
    fits: ({ step, ours, theirs }) =>
      step.type === types.DIRECTORY && namesOf(ours).join() === namesOf(theirs).join(),
  },
  {
    name: 'RM of what is missing',
    fits: ({ step, us, them }) => step.type === types.RM && us !== 'ok' && them === 'ok',
  },
  {
    name: 'RM of the root',
    fits: ({ step, strings }) => step.type === types.RM && strings[0] === '/',
  },
  {
    name: 'MKDIR of what the caller may not write',
    fits: ({ step, us, them }) => step.type === types.MKDIR && us === 'EACCES' && them === 'ok',
  },
  {
    name: 'a domain that is not served',
    fits: ({ step, us, them }) =>
      [types.RELEASE, types.RESUME, types.SET_TARGET].some((type) => type === step.type) &&
      us === 'ENOENT' &&
      them === 'EINVAL',
  },
  {
    name: 'a path of more than 1024 bytes',
    fits: ({ strings, us, them }) =>
      (strings[0] ?? '').length > 1024 && [us, them].includes('EINVAL'),
  },
];

/** Which rules there are for the findings with a peer. */
export const rules: Readonly<Record<PeerName, readonly Rule[]>> = {
  xenstored: [...rulesOfBoth, ...rulesOfC],
  oxenstored: [...rulesOfOCaml, ...rulesOfBoth],
};
