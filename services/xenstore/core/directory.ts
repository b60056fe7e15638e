import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from './error.ts';
import { bytesOf, nulTerminated } from './payload.ts';
import type { Node } from './tree.ts';
import { payloadMax } from './wire.ts';

/** The reply to DIRECTORY: every child's name; E2BIG where they do not fit (XSA-72). */
export function directory(node: Node): Result<Uint8Array, XenstoreError> {
  const reply = nulTerminated(...node.children.names());
  return reply.length > payloadMax ? fail('E2BIG') : ok(reply);
}

/**
 * The reply to DIRECTORY_PART: the generation of the list, then whole names from a byte offset into
 * the list on, as many as fit; one more NUL says that it is the end.
 */
export function directoryPart(node: Node, offset: number): Uint8Array {
  const names = node.children.names();
  const generation = nulTerminated(String(node.childrenGeneration));
  let room = payloadMax - generation.length - 1;
  let skipped = 0;
  let index = 0;
  for (; index < names.length && skipped < offset; index += 1)
    skipped += (names[index]?.length ?? 0) + 1;
  let text = '';
  for (; index < names.length; index += 1) {
    const name = names[index] ?? '';
    if (name.length + 1 > room) break;
    room -= name.length + 1;
    text += `${name}\0`;
  }
  if (index === names.length) text += '\0';
  const reply = new Uint8Array(generation.length + text.length);
  reply.set(generation);
  reply.set(bytesOf(text), generation.length);
  return reply;
}
