import type { Result } from '../base/result.ts';
import type { Change, Entry, PoolDatabase, Revision } from './database.ts';
import type { Failure } from './failure.ts';

/** Everything below some prefixes, as of one revision. */
export interface Snapshot {
  readonly entries: readonly Entry[];
  readonly revision: Revision;
}

/**
 * Reads everything below the prefixes as of one revision: the given one, or the newest. It is the
 * revision to watch after.
 */
export async function snapshot(
  database: PoolDatabase,
  prefixes: readonly string[],
  at?: Revision,
): Promise<Result<Snapshot, Failure>> {
  const entries: Entry[] = [];
  let revision = at;
  for (const prefix of prefixes) {
    let after: string | undefined;
    for (;;) {
      const page = await database.list({ prefix, after, revision });
      if (!page.ok) return page;
      entries.push(...page.value.entries);
      revision ??= page.value.revision;
      after = page.value.entries.at(-1)?.key;
      if (!page.value.more || after === undefined) break;
    }
  }
  return { ok: true, value: { entries, revision: revision ?? (0 as Revision) } };
}

/** The key that a change is about. */
export function keyOf(change: Change): string {
  return change.kind === 'put' ? change.entry.key : change.key;
}

/** Does a change to a copy of the entries. */
export function applyChange(entries: Map<string, Entry>, change: Change): void {
  if (change.kind === 'put') entries.set(change.entry.key, change.entry);
  else entries.delete(change.key);
}
