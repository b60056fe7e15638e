import { absolutePathMax } from '../../core/path.ts';

/** Whether a path can be asked for at all: what it would become in xenstore's bytes is the same. */
export function isAskable(path: string): boolean {
  // A character of more than a byte, or a NUL, would become another path on the way.
  return path.length <= absolutePathMax && /^[\x20-\x7e]*$/.test(path);
}
