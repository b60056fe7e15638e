/** Why a data directory could not be opened. */
export type OpenErrorCode =
  /** Another process uses it. */
  | 'locked'
  /** It belongs to another member or to another pool, or to a newer version. */
  | 'foreign'
  /** What is in it is not what was written. */
  | 'damaged'
  | 'full'
  | 'failed';

/** `detail` says what failed, why, and what to do. */
export interface OpenError {
  readonly code: OpenErrorCode;
  readonly detail: string;
}

/** Errors of the file system, as the store's: the one table from errno to code. */
export function fromErrno(
  error: unknown,
  what: string,
): { readonly code: 'full' | 'failed'; readonly detail: string } {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const reason = error instanceof Error ? error.message : String(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return { code: 'full', detail: `no room left to ${what}: free some space; writes then go on` };
  return { code: 'failed', detail: `could not ${what}: ${reason}` };
}

/** How a member whose data is damaged comes back: its log must not be trusted with a vote. */
export function damaged(path: string, what: string): OpenError {
  return {
    code: 'damaged',
    detail:
      `${path} is damaged: ${what}. Entries that this member had confirmed may be missing, so it ` +
      'does not start. Remove it from the pool (flotilla pool member remove NAME), move its data ' +
      'directory away, and add it again as a new member (flotilla pool member add NAME --peer ' +
      'HOST:PORT; start it with --initial-cluster-state existing): it then receives everything from ' +
      'the others. Where there are no others, flotilla consensus restore begins with a saved one.',
  };
}
