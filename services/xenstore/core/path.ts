import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';
import type { DomainId } from './permissions.ts';

/** The longest absolute path: XENSTORE_ABS_PATH_MAX. */
export const absolutePathMax = 3072;

/** The longest relative path: XENSTORE_REL_PATH_MAX. */
export const relativePathMax = 2048;

/** The events that can be watched though they are no nodes; their permissions are kept as a node's. */
export const specialPaths = ['@introduceDomain', '@releaseDomain'] as const;
export type SpecialPath = (typeof specialPaths)[number];

/**
 * A node's place: its text split at the slashes. The root is `['']`, `/a/b` is `['', 'a', 'b']`, and
 * `@releaseDomain` stands beside the root: `['@releaseDomain']`.
 */
export type Path = readonly string[];

/** The place of `/`. */
export const rootPath: Path = [''];

/** Of each character code below 128, whether it may be in a component. */
const isAllowed = Array.from({ length: 128 }, (_, code) =>
  /[-\w@]/.test(String.fromCharCode(code)),
);

const slash = '/'.charCodeAt(0);
const specialForm = /^@[-\w@]+(?:\/[-\w@]+)*$/;
const localForm = /^\/local\/domain\/\d{1,5}\//;

/** The directory of a domain, to which its relative paths belong. */
export function domainPath(domain: DomainId): string {
  return `/local/domain/${domain}`;
}

/**
 * Reads a path as a client wrote it. A relative one is completed by the directory of the client's
 * domain; the length is checked before and after (XSA-323). Empty components, a slash at the end and
 * characters other than letters, digits and `-/_@` are EINVAL.
 */
export function parsePath(text: string, domain: DomainId): Result<Path, XenstoreError> {
  if (text === '/') return ok(rootPath);
  const absolute = text.startsWith('/');
  if (text.length > (absolute ? absolutePathMax : relativePathMax) || text.startsWith('@'))
    return fail('EINVAL');
  const full = absolute ? text : `${domainPath(domain)}/${text}`;
  const path = full.length > absolutePathMax ? null : components(full);
  return path === null ? fail('EINVAL') : ok(path);
}

/**
 * The components of an absolute path, null where it is none. It is in every request: a regular expression
 * and `split` take V8 three times as long.
 */
function components(full: string): string[] | null {
  const path = [''];
  let start = 1;
  for (let at = 1; at <= full.length; at += 1) {
    const code = at === full.length ? slash : full.charCodeAt(at);
    if (code !== slash) {
      if (isAllowed[code] !== true) return null;
      continue;
    }
    if (at === start) return null;
    path.push(full.slice(start, at));
    start = at + 1;
  }
  return path;
}

/** Reads what can be watched, or have permissions: a path, or the name of a special event. */
export function parseWatchable(text: string, domain: DomainId): Result<Path, XenstoreError> {
  if (!text.startsWith('@')) return parsePath(text, domain);
  if (text.length > absolutePathMax || !specialForm.test(text)) return fail('EINVAL');
  return ok(text.split('/'));
}

/** Writes a path as absolute text. */
export function formatPath(path: Path): string {
  return path.length === 1 && path[0] === '' ? '/' : path.join('/');
}

/** A path's length as quotas count it: without the directory of a domain, if it is in one. */
export function localLength(path: Path): number {
  const text = formatPath(path);
  return text.length - (localForm.exec(text)?.[0].length ?? 0);
}
