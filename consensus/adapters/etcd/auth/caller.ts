import type { ServerUnaryCall } from '@grpc/grpc-js';
import { type ByteString, textBytes } from '../../../kv/byte-string.ts';

/** A call of any kind, as far as it tells who makes it. */
export type IdentifiedCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>;

/**
 * Who calls: the common name of the certificate that the connection's client showed, and that TLS
 * has verified, as with etcd's `--client-cert-auth`; null where there is none.
 *
 * grpc-js parses the certificate anew for each question, which takes some 25 microseconds. So the
 * answer is kept by connection, for as long as that lives. A connection is the HTTP/2 session that
 * the call's stream belongs to; where grpc-js does not show it, the certificate is read each time.
 */
export class Callers {
  readonly #known = new WeakMap<object, ByteString | null>();

  /** The name of who makes a call. */
  nameOf(call: IdentifiedCall): ByteString | null {
    const session = sessionOf(call);
    if (session === null) return readName(call);
    const known = this.#known.get(session);
    if (known !== undefined) return known;
    const name = readName(call);
    this.#known.set(session, name);
    return name;
  }
}

/** The common name in the certificate of who makes a call. */
export function commonNameOf(call: IdentifiedCall): string | null {
  const name: unknown = call.getAuthContext().sslPeerCertificate?.subject.CN;
  // Node tells several common names as a list: such a certificate stands for nobody.
  return typeof name === 'string' && name !== '' ? name : null;
}

function readName(call: IdentifiedCall): ByteString | null {
  const name = commonNameOf(call);
  return name === null ? null : textBytes(name);
}

function sessionOf(call: object): object | null {
  return part(part(part(call, 'call'), 'stream'), 'session');
}

function part(whole: object | null, name: string): object | null {
  if (whole === null || !(name in whole)) return null;
  const value: unknown = Reflect.get(whole, name);
  return typeof value === 'object' ? value : null;
}
