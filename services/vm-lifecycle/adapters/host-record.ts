import { bytes } from '../../../base/units.ts';
import type { HypervisorInfo } from '../../../hypervisor/port.ts';
import type { HostRecord } from '../../../pool/records/host.ts';
import type { Timestamp } from '../../../pool/records/identifiers.ts';
import { footprint } from '../core/footprint.ts';
import type { Environment } from './environment.ts';

/**
 * This host as the pool is to know it. VMs can be given what is free now and what Flotilla's own
 * domains hold: memory of the control domain and of domains that others built is not for them.
 */
export async function hostRecord(
  { host, hypervisor, journal, clock }: Environment,
  info: HypervisorInfo,
  endpoints: Readonly<Record<string, string | undefined>>,
): Promise<HostRecord> {
  const domains = await hypervisor.listDomains();
  const own = domains.ok ? domains.value.filter((domain) => journal.has(domain.uuid)) : [];
  const held = own.reduce(
    (sum, domain) => sum + footprint(domain.memory, domain.vcpus, info.kind),
    0,
  );
  return {
    id: host.id,
    name: host.name,
    hypervisor: info.kind,
    hypervisorVersion: info.version,
    cpus: info.cpus,
    memoryTotal: bytes(Math.min(info.memoryTotal, info.memoryFree + held)),
    endpoints: Object.fromEntries(
      Object.entries(endpoints).filter(([, address]) => address !== undefined),
    ),
    startedAt: clock.wall() as number as Timestamp,
  };
}
