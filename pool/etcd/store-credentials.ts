import type { ChannelCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Failure } from '../failure.ts';
import { isLoopback } from '../rpc/server.ts';
import { storeCredentials } from './tls.ts';
import type { StoreTls } from './tls-files.ts';

/**
 * Credentials for the pool database of a service: its own where its configuration says nothing else.
 * The failure names the field.
 */
export async function credentialsForStore(
  { store, storeTls }: StoreSettings,
  own: ChannelCredentials,
): Promise<Result<ChannelCredentials, Failure>> {
  if (storeTls === undefined) return ok(own);
  const remote = store.find((address) => !isLoopback(hostOf(address)));
  if (storeTls === null && remote !== undefined)
    return fail({
      reason: 'INVALID_FIELD',
      message: `${remote} is another machine, and plain text is for this machine only`,
      remedy: 'Give --store-ca, and --store-certificate and --store-key where etcd asks for them.',
      field: 'storeTls',
    });
  return storeCredentials(storeTls);
}

/** What a service's configuration says of its pool database. */
interface StoreSettings {
  readonly store: readonly string[];
  readonly storeTls?: StoreTls | null | undefined;
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}
