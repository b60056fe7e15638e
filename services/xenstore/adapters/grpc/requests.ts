import { fail, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { absolutePathMax } from '../../core/path.ts';
import { nulTerminated } from '../../core/payload.ts';
import { type MessageName, payloadMax } from '../../core/wire.ts';
import type { LocalClient } from '../local-client.ts';
import { failureOf } from './failures.ts';

/** Asks something about a path, in the daemon's own transaction of that id; 0 is none. */
export type Ask = (
  name: MessageName,
  path: string,
  transaction: number,
  rest?: Uint8Array,
) => Result<Uint8Array, Failure>;

const nothing = new Uint8Array(0);

/** Whether a path can be asked for at all: what it would become in xenstore's bytes is the same. */
export function isAskable(path: string): boolean {
  // A character of more than a byte, or a NUL, would become another path on the way.
  return path.length <= absolutePathMax && /^[\x20-\x7e]*$/.test(path);
}

/** Asks through a client of the daemon; everything is bounded before it is put together. */
export function askerOf(client: LocalClient): Ask {
  return (name, path, transaction, rest = nothing) => {
    if (!isAskable(path)) return fail(failureOf('EINVAL', path));
    if (path.length + 1 + rest.length > payloadMax) return fail(failureOf('E2BIG', path));
    const payload = Buffer.concat([nulTerminated(path), rest]);
    const reply = client.request(name, transaction, payload);
    return reply.ok ? reply : fail(failureOf(reply.error, path));
  };
}
