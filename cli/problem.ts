import type { Failure, FailureReason, FailureResource } from '../pool/failure.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** Why a command could not do what it was asked, and what whoever asked can do now. */
export interface Problem {
  readonly exitCode: ExitCode;
  /** One sentence, without a full stop. */
  readonly message: string;
  /** What to do next; empty where there is nothing to do. */
  readonly remedy: string;
  /** The pool's reason, where the pool refused. */
  readonly reason?: FailureReason | undefined;
  /** The field of the request that was refused. */
  readonly field?: string | undefined;
  /** The flag that the field came from. */
  readonly flag?: string | undefined;
  readonly resource?: FailureResource | undefined;
  /** More lines for people: each host and why it did not answer. */
  readonly details?: readonly string[] | undefined;
  /** Names that exist and are close to the one that does not. */
  readonly suggestions?: readonly string[] | undefined;
}

/** The command line asks for something that cannot be: exit code 2. */
export function wrongUsage(message: string, remedy: string): Problem {
  return { exitCode: exitCodes.usage, message, remedy };
}

/** What the pool refused, as a problem of the command. */
export function problemOf(failure: Failure): Problem {
  return { ...failure, exitCode: exitCodeOf(failure.reason) };
}

function exitCodeOf(reason: FailureReason): ExitCode {
  switch (reason) {
    case 'NOT_FOUND':
      return exitCodes.notFound;
    case 'DATABASE_UNAVAILABLE':
      return exitCodes.unreachable;
    case 'INVALID_FIELD':
    case 'NAME_TAKEN':
    case 'WRONG_STATE':
    case 'BUSY':
    case 'NO_HOST_FITS':
    case 'HOST_UNREACHABLE':
    case 'NO_SPACE':
    case 'BOOT_FILE':
    case 'CONFLICT':
    case 'REVISION_COMPACTED':
    case 'WATCH_TOO_SLOW':
    case 'STALE_EPOCH':
    case 'HYPERVISOR':
    case 'SERVICE_UNAVAILABLE':
    case 'STORAGE':
    case 'NETWORK':
    case 'CANCELLED':
    case 'LIMIT':
    case 'FORBIDDEN':
    case 'XENSTORE':
    case 'NOT_IMPLEMENTED':
    case 'IMAGE':
      return exitCodes.failed;
  }
}

/** The problem as people read it on stderr, one line an entry. */
export function problemLines(problem: Problem): readonly string[] {
  const interrupted = problem.exitCode === exitCodes.interrupted;
  const lines = [`${interrupted ? 'interrupted' : 'error'}: ${problem.message}`];
  for (const detail of problem.details ?? []) lines.push(`  ${detail}`);
  if (problem.field !== undefined) lines.push(`field: ${fieldOf(problem)}`);
  if (problem.suggestions !== undefined && problem.suggestions.length > 0)
    lines.push(`did you mean: ${problem.suggestions.join(', ')}`);
  if (problem.remedy !== '') lines.push(`what to do: ${inLine(problem.remedy)}`);
  return lines;
}

/** A sentence of the pool's as it reads after a colon: it begins in lower case, without a full stop. */
function inLine(sentence: string): string {
  return sentence.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase()).replace(/\.$/, '');
}

function fieldOf({ field = '', flag }: Problem): string {
  return flag === undefined ? field : `${flag} (${field})`;
}

/** The problem as programs read it on stderr: one JSON object on one line. */
export function problemJson(problem: Problem): string {
  const { exitCode, reason, message, ...more } = problem;
  return JSON.stringify({ error: { exitCode, reason, message, ...more } });
}
