import type { Failure, FailureReason } from '../../../../pool/failure.ts';
import type { ClientFailure, ErrorName, LocalCode } from '../../client/failure.ts';
import { absolutePathMax } from '../../core/path.ts';

/** What xenstore's errors are to a caller over gRPC: the one table. */
const table: Readonly<
  Record<ErrorName, readonly [reason: FailureReason, sentence: string, remedy: string]>
> = {
  EINVAL: [
    'INVALID_FIELD',
    'the request or its path is not well formed',
    'Write letters, digits and -/_@ after a slash, without a slash at the end.',
  ],
  EACCES: ['FORBIDDEN', 'it is not allowed', ''],
  EPERM: ['FORBIDDEN', 'only the control domain gives a node to another domain', ''],
  EEXIST: ['NAME_TAKEN', 'it is there already', ''],
  ENOENT: ['NOT_FOUND', 'there is no such node, domain or transaction', ''],
  ENOSYS: ['NOT_IMPLEMENTED', 'this release does not have it', ''],
  EBUSY: ['BUSY', 'it is in use', 'Try again later.'],
  EAGAIN: [
    'CONFLICT',
    'something that the transaction had read was changed by somebody else',
    'Start the transaction again.',
  ],
  E2BIG: [
    'LIMIT',
    'the request or the reply is larger than the 4096 bytes that xenstore allows',
    'Spread it over several nodes.',
  ],
  ENOSPC: ['LIMIT', 'a quota of the domain is used up', 'See flotilla xenstore control quota.'],
  ENOMEM: [
    'LIMIT',
    'the memory that the domain may use is used up, or its transaction went too far',
    'See flotilla xenstore control quota.',
  ],
  EIO: ['XENSTORE', 'xenstored could not do it', 'See the log of xenstored on that host.'],
  EISDIR: ['XENSTORE', 'it is a directory', ''],
  ENOTEMPTY: ['XENSTORE', 'it is not empty', ''],
  EROFS: ['FORBIDDEN', 'the connection may only read', ''],
  EISCONN: ['XENSTORE', 'the domain is connected already', ''],
};

/**
 * What a request about a path failed with; the path is empty where it was about none. The message starts
 * with xenstore's name for it.
 */
export function failureOf(error: ErrorName, path: string): Failure {
  const [reason, sentence, remedy] = table[error];
  return {
    reason,
    message: `${error}: ${sentence}`,
    remedy,
    // What is longer was refused for that, and would not fit into the trailer of the call.
    ...(path === '' ? {} : { resource: { type: 'node', name: path.slice(0, absolutePathMax) } }),
    ...(error === 'EINVAL' ? { field: 'path' } : {}),
  };
}

/** What fails between this process and xenstored. */
const localTable: Readonly<Record<LocalCode, readonly [reason: FailureReason, remedy: string]>> = {
  DISCONNECTED: ['SERVICE_UNAVAILABLE', 'Ask again: whether a change was made is not known.'],
  TIMEOUT: ['SERVICE_UNAVAILABLE', 'Ask again later: whether a change was made is not known.'],
  OVERLOADED: ['LIMIT', 'Ask again later.'],
  PROTOCOL: ['XENSTORE', 'See the log of xenstored on that host.'],
};

/** What a request about a path failed with, for the caller. */
export function clientFailure({ code, message }: ClientFailure, path: string): Failure {
  if (!isLocal(code)) return failureOf(code, path);
  const [reason, remedy] = localTable[code];
  return { reason, message, remedy };
}

function isLocal(code: ClientFailure['code']): code is LocalCode {
  return Object.hasOwn(localTable, code);
}
