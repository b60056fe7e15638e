import type { Brand } from '../../../base/brand.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';

/** Xen's number of a domain. */
export type DomainId = Brand<number, 'DomainId'>;

/** The control domain: every node is open to it, and it alone gives nodes to others (XSA-352). */
export const controlDomain = 0 as DomainId;

/** The most entries a node may have: the quota `permissions per node` of C xenstored. */
export const permissionEntriesMax = 5;

/** DOMID_FIRST_RESERVED of xen.h: ids from here on are not domains. */
const firstReservedDomain = 0x7ff0;

/** One entry: what a domain may do. */
export interface Permission {
  readonly domain: DomainId;
  readonly read: boolean;
  readonly write: boolean;
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
  if (texts.length > permissionEntriesMax) return fail('ENOSPC');
  for (const text of texts) {
    const access = letters[text.charAt(0)];
    if (access === undefined || !/^[a-z](0|[1-9]\d{0,4})$/.test(text)) return fail('EINVAL');
    const domain = Number(text.slice(1));
    if (domain >= firstReservedDomain) return fail('EINVAL');
    entries.push({ domain: domain as DomainId, ...access });
  }
  const [first, ...rest] = entries;
  return first === undefined ? fail('EINVAL') : ok([first, ...rest]);
}

/** Writes an entry in the form that `parsePermissions` reads. */
export function formatPermission(entry: Permission): string {
  const letter = entry.read ? (entry.write ? 'b' : 'r') : entry.write ? 'w' : 'n';
  return `${letter}${entry.domain}`;
}

/** Whether a domain may read, or write, a node of these permissions. */
export function allows(
  permissions: Permissions,
  domain: DomainId,
  access: 'read' | 'write',
): boolean {
  const [owner, ...others] = permissions;
  if (domain === controlDomain || domain === owner.domain) return true;
  const entry = others.find((each) => each.domain === domain) ?? owner;
  return entry[access];
}

/** A node made below one with these permissions gets them, owned by who made it unless that is dom0. */
export function inherited(parent: Permissions, maker: DomainId): Permissions {
  if (maker === controlDomain) return parent;
  const [owner, ...others] = parent;
  return [{ ...owner, domain: maker }, ...others];
}
