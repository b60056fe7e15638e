import { errnoOf } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure, FailureReason } from '../../../../pool/failure.ts';

/** What the system's errors mean for an SR: the reason, what is wrong, and what to do. */
const meanings: Readonly<Record<string, readonly [FailureReason, string, string]>> = {
  ENOSPC: [
    'NO_SPACE',
    'its file system is full',
    'Delete what is not needed there, or enlarge it.',
  ],
  EDQUOT: ['NO_SPACE', 'its quota is used up', 'Raise the quota of the user that runs storage.'],
  EFBIG: [
    'NO_SPACE',
    'its file system cannot hold so large a file',
    'Ask for a smaller disk, or use an SR on another kind of file system, such as XFS.',
  ],
  EIO: ['STORAGE', 'the disk underneath failed', "See the kernel's log; replace the disk."],
  EROFS: [
    'STORAGE',
    'its file system is read-only',
    "See the kernel's log for why; check it, then mount it for writing.",
  ],
  EACCES: ['STORAGE', 'access is denied', 'Give the user that runs storage all rights there.'],
  EPERM: ['STORAGE', 'access is denied', 'Give the user that runs storage all rights there.'],
  ENOENT: ['STORAGE', 'it is not there', 'Mount its file system again.'],
  ENOTDIR: ['STORAGE', 'it is not a folder', "Name a folder in the configuration's srs."],
};

/**
 * Does something in an SR's folder; an error of the system becomes a failure that says what was being
 * done, where, and what helps. Any other error is a bug and is thrown on.
 */
export async function attempt<Value>(
  doing: string,
  path: string,
  work: () => Promise<Value>,
): Promise<Result<Value, Failure>> {
  try {
    return ok(await work());
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    const [reason, why, remedy] = meanings[errno] ?? [
      'STORAGE',
      `the system answered ${errno}`,
      "See the kernel's log.",
    ];
    const message = `cannot ${doing} in ${path}: ${why} (${errno})`;
    return fail({ reason, message, remedy });
  }
}
