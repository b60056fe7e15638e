import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../base/result.ts';
import type { TlsFiles } from './settings.ts';

/** How a member serves, and calls the others. */
export interface Credentials {
  readonly server: ServerCredentials;
  readonly channel: ChannelCredentials;
}

/** Mutual TLS: who calls must show a certificate of the same CA. Null: plain text. */
export function loadCredentials(files: TlsFiles | null): Result<Credentials, string> {
  if (files === null)
    return ok({
      server: ServerCredentials.createInsecure(),
      channel: ChannelCredentials.createInsecure(),
    });
  const ca = readPem('tls.ca', files.ca);
  if (!ca.ok) return ca;
  const certificate = readPem('tls.certificate', files.certificate);
  if (!certificate.ok) return certificate;
  const key = readPem('tls.key', files.key);
  if (!key.ok) return key;
  const pair = { private_key: key.value, cert_chain: certificate.value };
  try {
    // grpc-js would find out only at the first connection.
    createSecureContext({ ca: ca.value, cert: certificate.value, key: key.value });
    return ok({
      server: ServerCredentials.createSsl(ca.value, [pair], true),
      channel: ChannelCredentials.createSsl(ca.value, key.value, certificate.value),
    });
  } catch (error) {
    return fail(`tls: the CA, the certificate and the key do not work together: ${reason(error)}`);
  }
}

function readPem(field: string, path: string): Result<Buffer, string> {
  try {
    return ok(readFileSync(path));
  } catch (error) {
    return fail(`${field}: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
