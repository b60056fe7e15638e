import { fail, ok, type Result } from '../../../base/result.ts';
import type { Domain, DomainUuid } from '../../../hypervisor/port.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { VmId } from '../../../pool/records/identifiers.ts';
import type { Environment } from './environment.ts';
import { hypervisorFailure } from './failures.ts';

/** A VM's domain has the VM's id as its UUID. */
export function uuidOf(vm: VmId): DomainUuid {
  return vm as string as DomainUuid;
}

/**
 * The domain of a VM on this host, or null. It is asked for anew each time: a number that was
 * recorded before the host restarted may be another domain's now.
 */
export async function findDomain(
  { hypervisor, host }: Environment,
  vm: VmId,
): Promise<Result<Domain | null, Failure>> {
  const domains = await hypervisor.listDomains();
  if (!domains.ok) return fail(hypervisorFailure(host.name, domains.error));
  return ok(domains.value.find((domain) => domain.uuid === uuidOf(vm)) ?? null);
}

/** The domain of a VM, which must be there: a failure says that it ended. */
export async function requireDomain(
  environment: Environment,
  vm: VmId,
): Promise<Result<Domain, Failure>> {
  const domain = await findDomain(environment, vm);
  if (!domain.ok) return domain;
  if (domain.value !== null) return ok(domain.value);
  return fail({
    reason: 'HYPERVISOR',
    message: `the domain of the VM on ${environment.host.name} ended while it was worked on`,
    remedy: "See its console and the host's log for the reason, and start it again.",
    resource: { type: 'vm', name: vm },
  });
}

/**
 * Sees that a VM has no domain on this host, whatever state one was in. Returns the domains of
 * others that there are.
 */
export async function destroyDomainOf(
  { hypervisor, host, journal }: Environment,
  vm: VmId,
): Promise<Result<readonly Domain[], Failure>> {
  const domains = await hypervisor.listDomains();
  if (!domains.ok) return fail(hypervisorFailure(host.name, domains.error));
  const own = domains.value.find((domain) => domain.uuid === uuidOf(vm));
  if (own !== undefined) {
    const destroyed = await hypervisor.destroyDomain(own.id);
    if (!destroyed.ok && destroyed.error.code !== 'domain-not-found')
      return fail(hypervisorFailure(host.name, destroyed.error, { type: 'vm', name: vm }));
  }
  const noted = await journal.remove(vm);
  return noted.ok ? ok(domains.value.filter((domain) => domain !== own)) : noted;
}

/**
 * The name for a VM's domain: the VM's own, unless another domain of the host has that already, of
 * another tool or of a VM that was renamed while it ran. Xen wants names to be unique on a host.
 */
export function domainName(vm: VmId, name: string, others: readonly Domain[]): string {
  return others.some((other) => other.name === name) ? `${name}-${vm.slice(0, 8)}` : name;
}
