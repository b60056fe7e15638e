import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';
import { bytesOf, nulTerminated } from './payload.ts';
import type { Node } from './tree.ts';
import { payloadMax } from './wire.ts';

/** The reply to DIRECTORY: every child's name; E2BIG where they do not fit (XSA-72). */
export function directory({ children }: Node): Result<Uint8Array, XenstoreError> {
  if (children.nameBytes > payloadMax) return fail('E2BIG');
  return ok(nulTerminated(...children.names()));
}

/**
 * The reply to DIRECTORY_PART: the generation of the list, then whole names from a byte offset into
 * the list on, as many as fit; one more NUL says that it is the end.
 */
export function directoryPart(node: Node, offset: number): Uint8Array {
  const names = node.children.names();
  const head = `${node.childrenGeneration}\0`;
  let room = payloadMax - head.length - 1;
  let skipped = 0;
  let first = 0;
  for (; first < names.length && skipped < offset; first += 1)
    skipped += (names[first]?.length ?? 0) + 1;
  let end = first;
  for (; end < names.length; end += 1) {
    const length = (names[end]?.length ?? 0) + 1;
    if (length > room) break;
    room -= length;
  }
  const text = end === first ? '' : `${names.slice(first, end).join('\0')}\0`;
  return bytesOf(`${head}${text}${end === names.length ? '\0' : ''}`);
}
