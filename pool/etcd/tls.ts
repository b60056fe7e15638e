import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Failure } from '../failure.ts';
import type { StoreTls } from './tls-files.ts';

/** Credentials for calls to such a cluster; null is plain text. The failure names the file. */
export async function storeCredentials(
  tls: StoreTls | null,
): Promise<Result<ChannelCredentials, Failure>> {
  if (tls === null) return ok(ChannelCredentials.createInsecure());
  const files: Record<string, Buffer> = {};
  for (const [field, path] of Object.entries(tls)) {
    if (path === undefined) continue;
    try {
      files[field] = await readFile(path);
    } catch (error) {
      return fail(badFile(field, path, error));
    }
  }
  const { ca = null, certificate = null, key = null } = files;
  try {
    createSecureContext({
      ...(ca === null ? {} : { ca }),
      ...(certificate === null ? {} : { cert: certificate }),
      ...(key === null ? {} : { key }),
    });
  } catch (error) {
    return fail(badFile('ca', tls.ca, error));
  }
  return ok(ChannelCredentials.createSsl(ca, key, certificate));
}

function badFile(field: string, path: string, error: unknown): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    remedy: 'Give files of PEM: what etcd was given, or what its operator issued for this pool.',
    field: `storeTls.${field}`,
  };
}
