import type { ByteString } from '../byte-string.ts';
import type { KeyRange } from '../key-range.ts';

/** What a permission allows with its keys. */
export type Access = 'read' | 'write' | 'readwrite';

/** What a role may do with one key, or with the keys of a span. */
export interface Permission {
  readonly access: Access;
  readonly range: KeyRange;
}

/** The role that may do everything, whatever permissions it has. It need not have been added. */
export const rootRole = 'root' as ByteString;

/** The user that etcd asks for before rights are enforced. */
export const rootUser = 'root' as ByteString;

/** The order of a role's permissions: by their keys, as etcd lists them. */
export function comparePermissions(a: Permission, b: Permission): number {
  const [left, right] = [orderOf(a.range), orderOf(b.range)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether two ranges are written alike: that is what a permission is known by. */
export function isSameRange(a: KeyRange, b: KeyRange): boolean {
  if (a.kind === 'key' || b.kind === 'key')
    return a.kind === 'key' && b.kind === 'key' && a.key === b.key;
  return a.from === b.from && a.to === b.to;
}

function orderOf(range: KeyRange): ByteString {
  return range.kind === 'key' ? range.key : range.from;
}
