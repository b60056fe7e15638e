import type { Entry } from './entry.ts';

/** Commands that are larger have memory of their own anyway: they are left where they are. */
const packedBytesMax = 16 * 2 ** 10;

/** The size of an entry's command as far as it would be packed. */
export function packableSize({ payload }: Entry): number {
  if (payload.kind !== 'command') return 0;
  const { byteLength } = payload.proposal.command;
  return byteLength > packedBytesMax ? 0 : byteLength;
}

/**
 * The same entries, their commands one after the other in memory that is theirs alone. A command
 * comes as a view of what was received or read with it, and keeps all of that: 64 KiB, of which a
 * message of some entries had eight.
 */
export function packCommands(entries: readonly Entry[]): Entry[] {
  const memory = new Uint8Array(entries.reduce((sum, entry) => sum + packableSize(entry), 0));
  let at = 0;
  return entries.map((entry) => {
    const { index, term, payload } = entry;
    if (payload.kind !== 'command' || packableSize(entry) === 0) return entry;
    const { id, command } = payload.proposal;
    const packed = memory.subarray(at, at + command.byteLength);
    packed.set(command);
    at += command.byteLength;
    return { index, term, payload: { kind: 'command', proposal: { id, command: packed } } };
  });
}
