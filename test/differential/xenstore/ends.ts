import { messageTypes as types } from '../../../services/xenstore/core/wire.ts';
import type { PeerName } from '../../peers/peer.ts';
import { cameBefore, type Found, outcomeOf } from './found.ts';
import { withoutDomain } from './inventory.ts';
import type { Inventory } from './step.ts';

/** A finding where a domain has ended: it was released, or the hypervisor has told of its death. */
export interface FoundEnd extends Found {
  readonly gone: number;
  readonly us: string;
  readonly them: string;
  readonly here: Inventory;
  readonly there: Inventory;
}

/** A documented difference of the end of a domain. */
export interface EndRule {
  /** The first column of SPEC.md, "Where the daemons differ". */
  readonly name: string;
  readonly fits: (end: FoundEnd) => boolean;
}

const special = /@(introduce|release)Domain/;

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether all the same is there. */
function isLeftSame({ here, there }: FoundEnd): boolean {
  return isSame(here, there);
}

const rulesOfC: readonly EndRule[] = [
  {
    // It answers OK, and has done nothing: the domain is served on.
    name: 'the end of a domain for which another acts',
    fits: (end) =>
      end.us === end.them &&
      actedForBefore(end) &&
      end.theirs.events.length === 0 &&
      end.there.served.includes(end.gone) &&
      isSame(end.here.nodes, withoutDomain(end.there.nodes, end.gone)),
  },
  {
    name: 'the root of a domain that is gone',
    fits: (end) => cameBefore(end, types.SET_PERMS, '/') && end.there.nodes['/'] === 'EACCES',
  },
  {
    name: 'an event that is on its way already',
    fits: (end) =>
      end.us === end.them &&
      isLeftSame(end) &&
      isSame([...new Set(end.ours.events)], [...new Set(end.theirs.events)]),
  },
];

const rulesOfOCaml: readonly EndRule[] = [
  {
    name: 'the nodes of a domain that is gone',
    fits: (end) =>
      end.us === end.them &&
      isLeftSame(end) &&
      isSame(
        end.ours.events.filter((event) => special.test(event)),
        end.theirs.events,
      ),
  },
  {
    name: 'a domain that is not served',
    fits: (end) =>
      end.us === 'ENOENT' &&
      end.them === 'EINVAL' &&
      isSame(end.ours.events, end.theirs.events) &&
      isSame(end.here.served, end.there.served) &&
      isSame(withoutDomain(end.here.nodes, end.gone), end.there.nodes),
  },
  {
    name: 'the end of a domain that was not introduced',
    fits: (end) =>
      end.step.kind === 'death' &&
      end.theirs.events.length === 0 &&
      isSame(end.here.served, end.there.served) &&
      isSame(end.here.nodes, withoutDomain(end.there.nodes, end.gone)),
  },
  {
    name: 'the root of a domain that is gone',
    fits: ({ there }) => {
      const root = there.nodes['/'];
      return (
        typeof root === 'object' && /^[nrwb]9223372036854775807$/.test(root.permissions[0] ?? '')
      );
    },
  },
];

/** Which rules there are for the ends of domains with a peer. */
export const endRules: Readonly<Record<PeerName, readonly EndRule[]>> = {
  xenstored: rulesOfC,
  oxenstored: rulesOfOCaml,
};

/** Whether some domain was made to act for the one that is gone. */
function actedForBefore({ before, gone }: FoundEnd): boolean {
  return before.some(
    ({ step, us }) =>
      step.kind === 'request' &&
      step.type === types.SET_TARGET &&
      us === 'ok' &&
      step.payload.split('\0')[1] === `${gone}`,
  );
}

/** oxenstored tells of whoever is shut down whenever the hypervisor says that something became of any domain. */
export const toldOfShutdownAgain = 'a domain that has shut down before';

/** Whether nothing is different but that it is told again. */
export function isToldOfShutdownAgain({ peer, step, before, ours, theirs }: Found): boolean {
  return (
    peer === 'oxenstored' &&
    step.kind === 'shutdown' &&
    before.some(
      ({ step: { kind, ...other } }) =>
        kind === 'shutdown' && isSame(other, { domain: step.domain }),
    ) &&
    ours.events.every((event) => theirs.events.includes(event)) &&
    theirs.events.every((event) => ours.events.includes(event) || special.test(event))
  );
}

/** What is found where a domain has ended; null where nobody could look. */
export function endOf(found: Found, gone: number): FoundEnd | null {
  const { ours, theirs } = found;
  if (ours.there === null || theirs.there === null) return null;
  const [us, them] = [outcomeOf(ours), outcomeOf(theirs)];
  return { ...found, gone, us, them, here: ours.there, there: theirs.there };
}
