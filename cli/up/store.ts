import { resolve } from 'node:path';
import type { Command } from 'commander';
import { isLoopback } from '../../base/loopback.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { parseStore } from '../../pool/configuration.ts';
import type { ExternalDatabase } from '../connection/find-pool.ts';

/** The flags that name a cluster of etcd. */
export interface StoreFlags {
  readonly store?: readonly string[];
  readonly storeCa?: string;
  readonly storeCertificate?: string;
  readonly storeKey?: string;
}

/** Adds `--store` and its kin. */
export function storeOptions(command: Command): Command {
  return command
    .option(
      '--store <url>',
      'etcd://HOST:PORT,HOST:PORT: use this cluster of etcd in place of a database of its own',
      parseStore,
    )
    .option('--store-ca <file>', 'the authority of its certificates (default: plain text)')
    .option('--store-certificate <file>', 'what it is shown, where it asks who calls')
    .option('--store-key <file>', 'the private key of that');
}

/** The cluster of etcd that the flags name; undefined: none. */
export function storeOf(flags: StoreFlags): Result<ExternalDatabase | undefined, string> {
  const { store, storeCa, storeCertificate, storeKey } = flags;
  const hasTls = [storeCa, storeCertificate, storeKey].some((file) => file !== undefined);
  if (store === undefined)
    return hasTls ? fail('--store-ca and its kin need --store etcd://HOST:PORT') : ok(undefined);
  if (!hasTls) {
    const remote = store.find((address) => !isLoopback(address));
    return remote === undefined
      ? ok({ endpoints: store, tls: null })
      : fail(
          `--store: ${remote} is another machine, and plain text is for this machine only; give --store-ca`,
        );
  }
  if (storeCa === undefined) return fail('--store-certificate needs --store-ca as well');
  if ((storeCertificate === undefined) !== (storeKey === undefined))
    return fail('give --store-certificate and --store-key together');
  const pair =
    storeCertificate === undefined || storeKey === undefined
      ? {}
      : { certificate: resolve(storeCertificate), key: resolve(storeKey) };
  return ok({ endpoints: store, tls: { ca: resolve(storeCa), ...pair } });
}
