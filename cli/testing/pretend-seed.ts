import type { HostId } from '../../pool/records/identifiers.ts';
import { poolOfSeed } from '../host-seed/choose.ts';
import type { HostSeed } from '../host-seed/seed.ts';

/** A seed of a pool of one host, whose identities are no certificates. */
export function pretendSeed(changes: Partial<HostSeed> = {}): HostSeed {
  const guests = (['consensus', 'network', 'storage'] as const).map((service, index) => ({
    ...{ service, address: `10.0.0.2${index + 1}/24` },
  }));
  const pool = poolOfSeed({ address: '10.0.0.11/24', name: undefined, guests, type: 'pv' }, null);
  if (!pool.ok) throw new Error(pool.error);
  const [host] = pool.value.hosts;
  if (host === undefined) throw new Error('a pool has a host');
  return {
    ...{ format: 'flotilla-host-seed/1', made: 1000, host: host.name },
    network: { address: '10.0.0.11/24', gateway: '10.0.0.1' },
    pool: {
      ...pool.value,
      id: '11111111-1111-4111-8111-111111111111',
      hosts: [{ ...host, id: '22222222-2222-4222-8222-222222222222' as HostId }],
    },
    identity: { 'ca.pem': '-----BEGIN CERTIFICATE-----', 'storage-key.pem': '-----BEGIN KEY-----' },
    ...changes,
  };
}
