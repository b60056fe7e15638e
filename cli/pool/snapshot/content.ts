import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { fail, ok, type Result } from '../../../base/result.ts';
import { bytes, formatBytes } from '../../../base/units.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Problem } from '../../problem.ts';

/** What a saved pool database holds. */
export interface SnapshotContent {
  /** Who wrote it, and so who can restore from it. */
  readonly engine: 'consensus' | 'etcd';
  readonly size: number;
  /** The SHA-256 at its end, in hexadecimal. */
  readonly digest: string;
  /** Left out where only etcd's own tools can tell. */
  readonly content?: BuiltInContent | undefined;
}

/** What the built-in database's file says of itself; all of it was checked. */
export interface BuiltInContent {
  /** The id of the pool that it was taken of, and the place in its log. */
  readonly pool: string;
  readonly term: number;
  readonly index: number;
  readonly revision: number;
  /** Left out where they were not counted. */
  readonly store?: {
    readonly compacted: number;
    readonly keys: number;
    readonly leases: number;
  };
}

/**
 * Reads and checks a file of the built-in database; to have it `counted` takes the memory of a member
 * that holds as much. The failure is a sentence that names the file.
 */
export type DescribeSnapshot = (
  path: string,
  counted: boolean,
) => Promise<Result<BuiltInContent & { readonly digest: string }, string>>;

const digestBytes = 32;
/** etcd's file is bbolt's: its first page has this number at 16 (bbolt's `magic` in its db.go). */
const bbolt = { magic: 0xed0cdaed, at: 16 } as const;

/** What a file holds, checked to its last byte where it is the built-in database's. */
export async function describeFile(
  path: string,
  describe: DescribeSnapshot,
  countedMax = Number.POSITIVE_INFINITY,
): Promise<Result<SnapshotContent, Problem>> {
  const found = fileKind(path);
  if (!found.ok) return found;
  const { engine, size, digest } = found.value;
  if (engine === 'etcd') return ok({ engine, size, digest });
  const described = await describe(path, size <= countedMax);
  if (!described.ok) return fail(unreadable(described.error));
  const { digest: checked, ...content } = described.value;
  return ok({ engine, size, digest: checked, content });
}

/** Whose file it is by its first bytes, and what ends it. */
function fileKind(path: string): Result<SnapshotContent, Problem> {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { size } = statSync(path);
    const head = Buffer.alloc(bbolt.at + 4);
    const digest = Buffer.alloc(digestBytes);
    readSync(file, head, 0, head.byteLength, 0);
    readSync(file, digest, 0, digestBytes, Math.max(0, size - digestBytes));
    const engine = head.readUInt32LE(bbolt.at) === bbolt.magic ? 'etcd' : 'consensus';
    return ok({ engine, size, digest: digest.toString('hex') });
  } catch (error) {
    return fail(unreadable(error instanceof Error ? error.message : String(error)));
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function unreadable(message: string): Problem {
  return {
    exitCode: exitCodes.failed,
    message,
    remedy: 'name a file that `flotilla pool snapshot save` wrote, and that is whole',
  };
}

/** The content for people: names and values. */
export function contentLines(
  saved: SnapshotContent,
): readonly (readonly [name: string, value: string])[] {
  const { engine, size, digest, content } = saved;
  const ends = [
    ['size', formatBytes(bytes(size))],
    ['sha-256', digest],
  ] as const;
  if (content === undefined)
    return [['format', `${engine}'s: \`etcdctl snapshot status\` tells more`], ...ends];
  const { store } = content;
  const since =
    store === undefined || store.compacted === 0 ? '' : `, history from ${store.compacted}`;
  return [
    ['pool', content.pool],
    ['revision', `${content.revision}${since}`],
    ...(store === undefined
      ? []
      : ([
          ['keys', String(store.keys)],
          ['leases', String(store.leases)],
        ] as const)),
    ['log', `term ${content.term}, index ${content.index}`],
    ...ends,
  ];
}
