import type { FailureReason } from '../../pool/failure.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Problem, problemOf } from '../problem.ts';

/** xenstore's errors, with what they mean for who asked: reason, sentence, what to do. */
const table = {
  EINVAL: ['INVALID_FIELD', 'the request or its path is not well formed', wellFormed],
  EACCES: ['FORBIDDEN', 'the permissions do not allow it', permitted],
  EEXIST: ['NAME_TAKEN', 'it is there already', nothingToDo],
  ENOENT: ['NOT_FOUND', 'there is no such node or domain', existing],
  ENOMEM: ['LIMIT', 'the memory that the domain may use is used up', quota],
  ENOSPC: ['LIMIT', 'a quota of the domain is used up', quota],
  EIO: ['XENSTORE', 'xenstored could not do it', () => 'see the log of xenstored'],
  ENOSYS: ['NOT_IMPLEMENTED', 'this xenstored does not have it', commands],
  EBUSY: ['BUSY', 'it is in use', again],
  EAGAIN: ['CONFLICT', 'others change what was read all the time', again],
  E2BIG: ['LIMIT', 'it is larger than the 4096 bytes that xenstore allows, path included', spread],
  EPERM: ['FORBIDDEN', 'only the control domain may do that', nothingToDo],
  EISDIR: ['XENSTORE', 'it is a directory', nothingToDo],
  ENOTEMPTY: ['XENSTORE', 'it is not empty', nothingToDo],
  EROFS: ['FORBIDDEN', 'the connection may only read', nothingToDo],
  EISCONN: ['XENSTORE', 'the domain is connected already', nothingToDo],
} as const satisfies Readonly<
  Record<string, readonly [FailureReason, string, (path: string) => string]>
>;
type XenstoreError = keyof typeof table;

/** Whether it is the name of one of xenstore's errors. */
export function isXenstoreError(code: string): code is XenstoreError {
  return Object.hasOwn(table, code);
}

/** Why a request could not be done. `doing` is what was asked, such as `read /a`. */
export function xenstoreProblem(code: XenstoreError, doing: string, path: string): Problem {
  const [reason, sentence, remedy] = table[code];
  const failure = { reason, message: `cannot ${doing}: ${code}: ${sentence}` };
  const resource = path === '' ? undefined : { type: 'node', name: path };
  return problemOf({ ...failure, remedy: remedy(path), resource });
}

/** Why xenstored did not do a command. */
export function controlProblem(code: XenstoreError, words: readonly string[]): Problem {
  const doing = `do "${words.join(' ')}"`;
  if (code !== 'EINVAL') return xenstoreProblem(code, doing, '');
  const message = `cannot ${doing}: EINVAL: xenstored has no such command, or not with these words`;
  return problemOf({ reason: 'INVALID_FIELD', message, remedy: commands() });
}

/** There was no answer in time. */
export function timedOut(doing: string): Problem {
  return {
    exitCode: exitCodes.timedOut,
    message: `cannot ${doing}: xenstored did not answer in time`,
    remedy: 'allow more time with --timeout, or see whether xenstored hangs',
  };
}

/** The connection is not there, or was lost; whether a change was made is open. */
export function unreachable(message: string, details: readonly string[] = []): Problem {
  return {
    exitCode: exitCodes.unreachable,
    message,
    details,
    remedy:
      'start one with `flotilla xenstored`, or name where it is: --socket, XENSTORED_PATH, or --host for that of a host of a pool',
  };
}

function nothingToDo(): string {
  return '';
}

function wellFormed(): string {
  return 'write paths of letters, digits and -/_@, without a slash at the end';
}

function existing(path: string): string {
  const parent = path.slice(0, Math.max(1, path.lastIndexOf('/'))) || '/';
  return `see what there is with \`flotilla xenstore ls ${parent}\``;
}

function permitted(path: string): string {
  return path === '' ? '' : `see who may with \`flotilla xenstore perms ${path}\``;
}

function quota(): string {
  return 'see what domains may use with `flotilla xenstore control quota`, and one uses with `... quota DOMID`';
}

function commands(): string {
  return 'see what it has with `flotilla xenstore control help`';
}

function again(): string {
  return 'try again';
}

function spread(): string {
  return 'spread it over several nodes';
}
