import { type Bytes, milliseconds } from '../../../base/units.ts';
import type { Version } from '../../kv/version.ts';

/** The bounds of watching. */
export const watchBounds = {
  /** Watches of one member: what their records may cost (about 100 MB). */
  perMember: 100_000,
  /** Watches of one stream: no client leaves none for the others. */
  perStream: 20_000,
  /** Changes of one response, where they are of several revisions. */
  eventsPerResponse: 500,
  /** Above this a response is cut for clients that allow it; etcd's is 2 MiB. */
  fragmentSize: (1.5 * 2 ** 20) as Bytes,
  /** How often a quiet watch tells of its progress: etcd's interval. */
  progressInterval: milliseconds(600_000),
} as const;

/** Cuts changes into responses that are not too large, in order, with at least one change each. */
export function fragments(versions: readonly Version[]): readonly (readonly Version[])[] {
  const parts: Version[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const version of versions) {
    const cost = version.key.length + version.value.length + (version.previous?.value.length ?? 0);
    if (size + cost > watchBounds.fragmentSize) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(version);
    size += cost;
  }
  return parts;
}
