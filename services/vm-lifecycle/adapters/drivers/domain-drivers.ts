import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Domain, DomainConfig, HypervisorError } from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { StepContext, StepOutput } from '../../../../pool/operations/driver.ts';
import type { VmId } from '../../../../pool/records/identifiers.ts';
import { checkBoot } from '../boot-files.ts';
import { destroyDomainOf, domainName, findDomain, requireDomain } from '../domains.ts';
import type { Environment } from '../environment.ts';
import { hypervisorFailure } from '../failures.ts';
import type { MeasuredBoot } from '../images/guest-images.ts';
import { diskConfig, domainConfig } from './domain-config.ts';
import { awaitShutdown } from './shutdown.ts';
import { stepDriver } from './step-driver.ts';
import { stepSchemas } from './step-schemas.ts';
import { checkClaim } from './vm-drivers.ts';

/** The steps that the hypervisor does. */
export function domainDrivers(environment: Environment) {
  const { host, hypervisor, journal, consoles, images } = environment;
  const refused = (vm: VmId, error: HypervisorError): Failure =>
    hypervisorFailure(host.name, error, { type: 'vm', name: vm });
  const onDomain = async (
    vm: VmId,
    act: (domain: Domain) => Promise<Result<void, HypervisorError>>,
  ): Promise<Result<StepOutput, Failure>> => {
    const domain = await requireDomain(environment, vm);
    if (!domain.ok) return domain;
    const acted = await act(domain.value);
    return acted.ok ? ok({}) : fail(refused(vm, acted.error));
  };
  const create = async (vm: VmId, config: DomainConfig): Promise<Result<StepOutput, Failure>> => {
    const measured = await images.measure(config);
    if (!measured.ok) return measured;
    const { kernel, ramdisk, release } = measured.value;
    try {
      const noted = await journal.add(vm);
      if (!noted.ok) return noted;
      const created = await hypervisor.createDomain({ ...config, kernel, ramdisk });
      if (!created.ok) return fail(refused(vm, inWordsOf(config, measured.value, created.error)));
      await consoles.follow(vm, created.value);
      return ok({ domid: created.value });
    } finally {
      await release();
    }
  };
  return {
    'boot.check': stepDriver(stepSchemas['boot.check'], {
      do: async (input) => {
        const checked = await checkBoot(environment, input);
        return checked.ok ? ok({}) : checked;
      },
    }),

    /** A domain of the VM that is there already is of an attempt that was cut off: it goes first. */
    'domain.create': stepDriver(stepSchemas['domain.create'], {
      do: async (input, context: StepContext) => {
        const current = await checkClaim(environment, input.vm, input.epoch);
        if (!current.ok) return current;
        const cleared = await destroyDomainOf(environment, input.vm);
        if (!cleared.ok) return cleared;
        const config = domainConfig(environment, input, context.operation.steps);
        if (!config.ok) return config;
        const name = domainName(input.vm, input.name, cleared.value);
        return create(input.vm, { ...config.value, name });
      },
      undo: async ({ vm }) => {
        const destroyed = await destroyDomainOf(environment, vm);
        return destroyed.ok ? ok(undefined) : destroyed;
      },
    }),

    'disk.connect': stepDriver(stepSchemas['disk.connect'], {
      do: async (disk, { operation }) => {
        const config = diskConfig(disk, operation.steps);
        if (!config.ok) return config;
        return onDomain(disk.vm, ({ id }) => hypervisor.connectDisk(id, config.value));
      },
    }),

    'domain.unpause': stepDriver(stepSchemas['domain.unpause'], {
      do: ({ vm }) => onDomain(vm, ({ id }) => hypervisor.unpause(id)),
    }),

    'domain.request-shutdown': stepDriver(stepSchemas['domain.request-shutdown'], {
      do: async ({ vm, reason }) => {
        const domain = await findDomain(environment, vm);
        if (!domain.ok) return domain;
        if (domain.value === null || domain.value.state.kind !== 'running') return ok({});
        const asked = await hypervisor.requestShutdown(domain.value.id, reason);
        if (asked.ok || asked.error.code === 'domain-not-found') return ok({});
        return fail(refused(vm, asked.error));
      },
    }),

    'domain.await-shutdown': stepDriver(stepSchemas['domain.await-shutdown'], {
      do: async ({ vm, timeoutSeconds }, { signal, operation }) => {
        const name = operation.resource.name;
        const stopped = await awaitShutdown(environment, { vm, name, timeoutSeconds }, signal);
        return stopped.ok ? ok({}) : stopped;
      },
    }),

    'domain.destroy': stepDriver(stepSchemas['domain.destroy'], {
      do: async ({ vm }) => {
        const destroyed = await destroyDomainOf(environment, vm);
        return destroyed.ok ? ok({}) : destroyed;
      },
    }),
  };
}

/** What the hypervisor says of the private copies of boot files, said of the files themselves. */
function inWordsOf(
  { kernel, ramdisk }: DomainConfig,
  copies: MeasuredBoot,
  { code, detail }: HypervisorError,
): HypervisorError {
  const said = copies.kernel === '' ? detail : detail.replaceAll(copies.kernel, kernel);
  if (copies.ramdisk === null || ramdisk === null) return { code, detail: said };
  return { code, detail: said.replaceAll(copies.ramdisk, ramdisk) };
}
