import type { XenstoreError } from '../core/error.ts';

/** The errors that any xenstored may reply: `xsd_errors` of xs_wire.h. */
export type ErrorName = XenstoreError | 'EISDIR' | 'ENOTEMPTY' | 'EROFS' | 'EISCONN';

/** What fails on this side of the connection. */
export type LocalCode =
  /** The connection is not there, or ended before the reply. Whether the request was done is open. */
  | 'DISCONNECTED'
  /** No reply in time. Whether the request was, or will be done is open. */
  | 'TIMEOUT'
  /** As many requests wait already as may. It was not sent. */
  | 'OVERLOADED'
  /** The server said something that the protocol does not have. */
  | 'PROTOCOL';

/** Why a request failed. */
export interface ClientFailure {
  readonly code: ErrorName | LocalCode;
  readonly message: string;
}

const sentences: Readonly<Record<ErrorName, string>> = {
  EINVAL: 'the request or its path is not well formed',
  EACCES: 'the permissions do not allow it',
  EEXIST: 'it is there already',
  ENOENT: 'there is no such node, transaction, watch or domain',
  ENOMEM: 'the server, or the quota of the domain, has no memory left',
  ENOSPC: 'a quota of the domain is used up',
  EIO: 'the server could not do it',
  ENOSYS: 'the server does not have it',
  EBUSY: 'it is in use',
  EAGAIN: 'something that the transaction had read was changed by somebody else',
  E2BIG: 'the request or the reply is larger than xenstore allows',
  EPERM: 'only the control domain may do that',
  EISDIR: 'it is a directory',
  ENOTEMPTY: 'it is not empty',
  EROFS: 'the connection may only read',
  EISCONN: 'the domain is connected already',
};

/** Whether it is the name of an error that xs_wire.h has. */
export function isErrorName(text: string): text is ErrorName {
  return Object.hasOwn(sentences, text);
}

/** A failure that the server, or the request itself, is the reason of. */
export function refused(code: ErrorName, what: string): ClientFailure {
  return { code, message: `${what}: ${code}: ${sentences[code]}` };
}
