import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';
import type { DomainId } from './permissions.ts';

/** The longest absolute path: XENSTORE_ABS_PATH_MAX. */
export const absolutePathMax = 3072;

/** The longest relative path: XENSTORE_REL_PATH_MAX. */
export const relativePathMax = 2048;

/** The events that can be watched though they are no nodes. */
export const specialPaths = ['@introduceDomain', '@releaseDomain'] as const;
export type SpecialPath = (typeof specialPaths)[number];

/** A node's place: the names from the root to it. The root's is empty. */
export type Path = readonly string[];

const component = /^[-A-Za-z0-9_@:]+$/;

/** The directory of a domain, to which its relative paths belong. */
export function domainPath(domain: DomainId): string {
  return `/local/domain/${domain}`;
}

/**
 * Reads a path as a client wrote it. A relative one is completed by the directory of the client's
 * domain; the length is checked before and after (XSA-323). Empty components, a slash at the end and
 * characters other than letters, digits, `-/_@:` are EINVAL.
 */
export function parsePath(text: string, domain: DomainId): Result<Path, XenstoreError> {
  if (text === '/') return ok([]);
  const absolute = text.startsWith('/');
  if (text.length > (absolute ? absolutePathMax : relativePathMax)) return fail('EINVAL');
  const full = absolute ? text : `${domainPath(domain)}/${text}`;
  if (full.length > absolutePathMax) return fail('EINVAL');
  const names = full.slice(1).split('/');
  return names.every((name) => component.test(name)) ? ok(names) : fail('EINVAL');
}

/** Writes a path as absolute text. */
export function formatPath(path: Path): string {
  return `/${path.join('/')}`;
}

/** Whether the text names a special event. */
export function isSpecial(text: string): text is SpecialPath {
  return (specialPaths as readonly string[]).includes(text);
}
