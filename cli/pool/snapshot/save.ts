import { resolve } from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../../base/result.ts';
import { Maintenance } from '../../../proto/gen/etcdserverpb.ts';
import { verb } from '../../command.ts';
import type { Context } from '../../context.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { propertyLines } from '../../output/table.ts';
import type { Problem } from '../../problem.ts';
import { stopOn } from '../../stop.ts';
import { wrongState } from '../change.ts';
import { etcdFailure } from '../errors.ts';
import { chosen } from '../find-member.ts';
import { titleOf } from '../report.ts';
import {
  type DatabaseFlags,
  type DatabaseSession,
  talksToDatabase,
  withDatabase,
} from '../session.ts';
import { addressOf, type MemberReport, survey } from '../survey.ts';
import { contentLines, type DescribeSnapshot, describeFile } from './content.ts';
import { SnapshotFile } from './file.ts';
import { transferProgress } from './progress.ts';

/** Counting what a larger file holds would take too much memory beside a pool. */
const countedMax = 64 * 2 ** 20;

interface SaveFlags extends DatabaseFlags {
  readonly force?: boolean;
  readonly from?: string;
}

/** `flotilla pool snapshot save`. */
export function saveCommand(context: Context, describe: DescribeSnapshot): Command {
  const summary = 'Save the whole pool database to a file, while it goes on';
  return talksToDatabase(verb(context, 'pool snapshot', 'save <path>', summary))
    .option('--force', 'replace a file that is there')
    .option('--from <member>', 'the member to copy from (default: one that does not lead)')
    .action((path: string, flags: SaveFlags) =>
      withDatabase(context, flags, (session) => save(session, path, flags, describe)),
    );
}

async function save(
  session: DatabaseSession,
  named: string,
  flags: SaveFlags,
  describe: DescribeSnapshot,
): Promise<Result<ExitCode, Problem>> {
  const path = resolve(session.context.directory, named);
  const source = await sourceOf(session, flags.from);
  if (!source.ok) return source;
  const file = SnapshotFile.begin(path, named, flags.force === true);
  if (!file.ok) return file;
  const stop = stopOn(session);
  const undo = session.context.onTermination(() => file.value.discard());
  const copied = await copy(session, source.value, file.value, stop.signal);
  stop.release();
  undo();
  if (!copied.ok) {
    file.value.discard();
    const cause = stop.cause();
    return cause === undefined ? copied : fail(stopped(cause));
  }
  const kept = file.value.keep();
  if (!kept.ok) return kept;
  const content = await describeFile(path, describe, countedMax);
  if (!content.ok) return content;
  session.answer({ path, from: titleOf(source.value), ...content.value }, [
    `${named} is the pool database as ${titleOf(source.value)} had it`,
    ...propertyLines(contentLines(content.value), session.style),
  ]);
  return ok(exitCodes.done);
}

async function sourceOf(
  session: DatabaseSession,
  named: string | undefined,
): Promise<Result<MemberReport, Problem>> {
  const found = await survey(session.database);
  if (!found.ok) return found;
  const { members, leader } = found.value;
  if (leader === undefined)
    session.note('the database has no leader: what other members confirmed last may be missing');
  if (named !== undefined) {
    const one = chosen(members, named);
    if (!one.ok || one.value.status !== null) return one;
    return fail(
      wrongState(`${titleOf(one.value)} does not answer: ${one.value.why}`, 'name another member'),
    );
  }
  const [best] = members
    .filter(({ status }) => status !== null)
    .toSorted((a, b) => rank(a) - rank(b) || (a.behind ?? 0) - (b.behind ?? 0));
  return best === undefined
    ? fail(wrongState('no member answers', 'start one: `flotilla pool members` shows them'))
    : ok(best);
}

/** The leader has most to do, and a learner may lack much. */
function rank(member: MemberReport): number {
  if (member.learner) return 2;
  return member.leader ? 1 : 0;
}

async function copy(
  session: DatabaseSession,
  source: MemberReport,
  file: SnapshotFile,
  signal: AbortSignal,
): Promise<Result<void, Problem>> {
  const progress = transferProgress(session, `copying from ${titleOf(source)}`);
  const stream = session.database
    .open(source.clients.map(addressOf)[0] ?? '')
    .client(Maintenance)
    .snapshot({}, { signal });
  try {
    for await (const piece of stream) {
      const written = file.write(piece.blob);
      if (!written.ok) {
        stream.cancel();
        return written;
      }
      progress.show(file.size, file.size + Number(piece.remainingBytes));
    }
    return file.verify();
  } catch (error) {
    return fail(broken(titleOf(source), error));
  } finally {
    progress.close();
  }
}

function broken(title: string, error: unknown): Problem {
  const failure = isServiceError(error) ? etcdFailure(error) : undefined;
  if (failure?.kind === 'refused') return failure.problem;
  const why =
    failure === undefined
      ? String(error)
      : failure.kind === 'silent'
        ? failure.why
        : failure.problem.message;
  return {
    exitCode: exitCodes.failed,
    message: `${title} broke off: ${why}; nothing was kept`,
    remedy: 'try again, or copy from another member with --from',
    reason: 'DATABASE_UNAVAILABLE',
  };
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error;
}

function stopped(cause: 'interrupted' | 'timed out'): Problem {
  return cause === 'interrupted'
    ? { exitCode: exitCodes.interrupted, message: 'nothing was saved', remedy: '' }
    : {
        exitCode: exitCodes.timedOut,
        message: 'the copy was not complete within --timeout; nothing was saved',
        remedy: 'allow more time',
      };
}
