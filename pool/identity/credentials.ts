import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import type { TlsPaths } from '../configuration.ts';
import type { Failure } from '../failure.ts';

/** What a service calls and serves with. */
export interface Credentials {
  readonly client: ChannelCredentials;
  /** Null: plain text. */
  readonly server: ServerCredentials | null;
}

/** Plain text, for loopback addresses. */
export const plainText: Credentials = {
  client: ChannelCredentials.createInsecure(),
  server: null,
};

/**
 * Credentials for mutual TLS: both sides show a certificate of the pool's authority. Without paths
 * it is plain text. A file that is missing, is not PEM, or does not fit the others is a failure that
 * names the field.
 */
export async function readCredentials(
  paths: TlsPaths | undefined,
): Promise<Result<Credentials, Failure>> {
  if (paths === undefined) return ok(plainText);
  const ca = await readPem('ca', paths.ca);
  if (!ca.ok) return ca;
  const certificate = await readPem('certificate', paths.certificate);
  if (!certificate.ok) return certificate;
  const key = await readPem('key', paths.key);
  if (!key.ok) return key;
  try {
    createSecureContext({ ca: ca.value, cert: certificate.value, key: key.value });
  } catch (error) {
    return fail(badFile('certificate', paths.certificate, whyOf(error)));
  }
  const pair = { cert_chain: certificate.value, private_key: key.value };
  return ok({
    client: ChannelCredentials.createSsl(ca.value, key.value, certificate.value),
    server: ServerCredentials.createSsl(ca.value, [pair], true),
  });
}

async function readPem(field: keyof TlsPaths, path: string): Promise<Result<Buffer, Failure>> {
  try {
    const pem = await readFile(path);
    if (!pem.includes('-----BEGIN ')) return fail(badFile(field, path, 'it is not PEM'));
    return ok(pem);
  } catch (error) {
    return fail(badFile(field, path, whyOf(error)));
  }
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function badFile(field: keyof TlsPaths, path: string, why: string): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `${path} cannot be used: ${why}`,
    remedy: 'Give the PEM files that the pool issued for this service.',
    field: `tls.${field}`,
  };
}
