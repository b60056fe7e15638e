import { bytes, milliseconds } from '../../base/units.ts';
import { openPool, type Pool } from '../../pool/pool.ts';
import type { HostRecord } from '../../pool/records/host.ts';
import type { HostId, Timestamp } from '../../pool/records/identifiers.ts';
import { adaptUnary, type Unary } from '../../pool/rpc/adapt.ts';
import { imageService } from '../../pool/service/image-service.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { together, writing } from '../../pool/transaction.ts';
import type { Host, ImageService } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Handlers } from '../../proto/server.ts';
import { simulatedNow } from './simulated-state.ts';

/** ImageService of a simulated pool: the real one, over records in memory. */
export interface SimulatedImages {
  readonly pool: Pool;
  readonly handlers: Handlers<ImageService>;
  /** Makes the record of a host that is up. */
  addHost(host: Host, address: string): Promise<void>;
}

/** No images, and nobody who is trusted. */
export function simulatedImages(): SimulatedImages {
  const pool = openPool(simulatedDatabase());
  const clock = { wall: () => milliseconds(simulatedNow) };
  const { handlers } = imageService({ pool, clock });
  const never = new AbortController().signal;
  const adapted = Object.entries(handlers).map(
    ([name, handler]) => [name, adaptUnary(handler as Unary, never)] as const,
  );
  return {
    pool,
    handlers: Object.fromEntries(adapted) as Handlers<ImageService>,
    addHost: async ({ id, name, memoryTotal }, address) => {
      const host: HostRecord = {
        ...{ id: id as HostId, name, hypervisor: 'simulated', hypervisorVersion: '1', cpus: 4 },
        ...{ memoryTotal: bytes(memoryTotal), endpoints: { 'vm-lifecycle': address } },
        startedAt: 1 as Timestamp,
      };
      const lease = pool.hostLeases.put(id, { since: 1 as Timestamp });
      const made = await pool.database.transact(
        together(pool.hosts.creating(host), writing(lease)),
      );
      if (!made.ok) throw new Error(made.error.message);
    },
  };
}
