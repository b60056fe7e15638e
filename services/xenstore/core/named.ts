import { parseDomain } from './domain-requests.ts';
import { readStrings } from './payload.ts';
import type { DomainId } from './permissions.ts';
import { messageTypes, type Packet } from './wire.ts';

const none: readonly DomainId[] = [];

/**
 * The domains that a request names and that have to exist for it. Where there is a hypervisor, the
 * adapter tells the store of those that do, by inputs `domain-exists`, before it gives the request.
 */
export function domainsNamed({ type, payload }: Packet): readonly DomainId[] {
  switch (type) {
    case messageTypes.SET_PERMS:
      return domainsOf(
        readStrings(payload)
          .slice(1)
          .map((entry) => entry.slice(1)),
      );
    case messageTypes.GET_FEATURE:
    case messageTypes.SET_FEATURE:
    case messageTypes.GET_QUOTA:
    case messageTypes.SET_QUOTA:
      return domainsOf(readStrings(payload).slice(0, 1));
    default:
      return none;
  }
}

function domainsOf(texts: readonly string[]): readonly DomainId[] {
  return texts.map(parseDomain).filter((domain) => domain !== undefined);
}
