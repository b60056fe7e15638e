import type { Brand } from '../../../base/brand.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';

/** Xen's number of a domain. */
export type DomainId = Brand<number, 'DomainId'>;

/** The control domain: every node is open to it, and it alone gives nodes to others (XSA-352). */
export const controlDomain = 0 as DomainId;

/** DOMID_FIRST_RESERVED of xen.h: ids from here on are not domains. */
export const firstReservedDomain = 0x7ff0;

/** DOMID_ANY of xen.h: an entry for it is for every domain. */
export const anyDomain = 0x7ff5 as DomainId;

/** Who asks. */
export interface Caller {
  readonly id: DomainId;
  /** The domain for which a stub domain acts: what that one may, this one may too. */
  readonly target: DomainId | null;
  /** Whether permissions and quotas do not bind it. */
  readonly privileged: boolean;
}

/** One entry: what a domain may do. */
export interface Permission {
  readonly domain: DomainId;
  readonly read: boolean;
  readonly write: boolean;
  /** The domain did not exist when the entry was made: it grants nothing, ever (XSA-417). */
  readonly stale?: true;
}

/**
 * A node's permissions. The first entry's domain owns the node and may do all; what the entry grants
 * is for everybody who is not listed. There is always a first entry.
 */
export type Permissions = readonly [Permission, ...Permission[]];

const letters: Readonly<Record<string, { readonly read: boolean; readonly write: boolean }>> = {
  n: { read: false, write: false },
  r: { read: true, write: false },
  w: { read: false, write: true },
  b: { read: true, write: true },
};

/** Reads entries such as `n0`, `r3`, `b12`. */
export function parsePermissions(texts: readonly string[]): Result<Permissions, XenstoreError> {
  const entries: Permission[] = [];
  for (const text of texts) {
    const access = letters[text.charAt(0)];
    if (access === undefined || !/^[a-z](0|[1-9]\d{0,4})$/.test(text)) return fail('EINVAL');
    const domain = Number(text.slice(1)) as DomainId;
    if (domain >= firstReservedDomain && domain !== anyDomain) return fail('EINVAL');
    entries.push({ domain, ...access });
  }
  const [first, ...rest] = entries;
  return first === undefined ? fail('EINVAL') : ok([first, ...rest]);
}

/** Writes an entry in the form that `parsePermissions` reads. */
export function formatPermission(entry: Permission): string {
  const letter = entry.read ? (entry.write ? 'b' : 'r') : entry.write ? 'w' : 'n';
  return `${letter}${entry.domain}`;
}

function concerns(entry: Permission, { id, target }: Caller): boolean {
  const { domain } = entry;
  return domain === id || (target !== null && domain === target) || domain === anyDomain;
}

/** Whether a node of these permissions is the caller's, or its target's. */
export function owns(permissions: Permissions, caller: Caller): boolean {
  return caller.privileged || concerns(permissions[0], caller);
}

/** Whether the caller may read, or write, a node of these permissions. */
export function allows(
  permissions: Permissions,
  caller: Caller,
  access: 'read' | 'write',
): boolean {
  if (owns(permissions, caller)) return true;
  for (let index = 1; index < permissions.length; index += 1) {
    const entry = permissions[index];
    if (entry !== undefined && entry.stale !== true && concerns(entry, caller))
      return entry[access];
  }
  return permissions[0][access];
}

/** A node made below one with these permissions gets them, owned by who made it unless that is dom0. */
export function inherited(parent: Permissions, maker: DomainId): Permissions {
  const [owner, ...others] = parent;
  if (maker === controlDomain || owner.domain === maker) return parent;
  return [{ ...owner, domain: maker }, ...others];
}
