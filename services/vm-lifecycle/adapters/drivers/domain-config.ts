import * as v from 'valibot';
import { fail, ok, type Result } from '../../../../base/result.ts';
import {
  controlDomain,
  type DiskConfig,
  type DomainConfig,
  type DomainId,
  type NicConfig,
} from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { OperationStep } from '../../../../pool/records/operation.ts';
import { resolveBoot } from '../boot-files.ts';
import { uuidOf } from '../domains.ts';
import type { Environment } from '../environment.ts';
import type { stepSchemas } from './step-schemas.ts';

type CreateInput = v.InferOutput<(typeof stepSchemas)['domain.create']>;

/** Who serves a device. Steps that earlier releases recorded say nothing: it was the control domain. */
const BackendSchema = v.pipe(
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), controlDomain),
  v.transform((value) => value as DomainId),
);
const AttachedSchema = v.object({
  path: v.pipe(v.string(), v.minLength(1)),
  device: v.optional(v.nullable(v.string()), null),
  backend: BackendSchema,
});
const PreparedSchema = v.object({
  bridge: v.pipe(v.string(), v.minLength(1)),
  backend: BackendSchema,
});

/** What the hypervisor is to build: the step's input, and what storage and network answered before. */
export function domainConfig(
  environment: Environment,
  input: CreateInput,
  steps: readonly OperationStep[],
): Result<DomainConfig, Failure> {
  const boot = resolveBoot(environment, input);
  if (!boot.ok) return boot;
  const disks: DiskConfig[] = [];
  for (const disk of input.disks) {
    const config = diskConfig(disk, steps);
    if (!config.ok) return config;
    disks.push(config.value);
  }
  const nics: NicConfig[] = [];
  for (const [index, { mac }] of input.nics.entries()) {
    const prepared = outputOf(steps, 'network.prepare', { index }, PreparedSchema);
    if (!prepared.ok) return prepared;
    nics.push({ index, mac, ...prepared.value });
  }
  const { kernel, ramdisk, commandLine } = boot.value;
  return ok({
    uuid: uuidOf(input.vm),
    name: input.name,
    type: input.type,
    memory: input.memory,
    vcpus: input.vcpus,
    kernel,
    ramdisk: ramdisk === '' ? null : ramdisk,
    commandLine: input.commandLine === '' ? commandLine : input.commandLine,
    disks,
    nics,
  });
}

/** A disk with the device that the storage service gave it, and the domain that serves it. */
export function diskConfig(
  { vdi, vdev, readOnly }: { vdi: string; vdev: string; readOnly: boolean },
  steps: readonly OperationStep[],
): Result<DiskConfig, Failure> {
  const attached = outputOf(steps, 'storage.attach', { vdi, vdev }, AttachedSchema);
  return attached.ok ? ok({ vdev, readOnly, ...attached.value }) : attached;
}

/** What the done step of this name and of these inputs produced. */
function outputOf<Output>(
  steps: readonly OperationStep[],
  name: string,
  inputs: Readonly<Record<string, unknown>>,
  schema: v.GenericSchema<unknown, Output>,
): Result<Output, Failure> {
  const found = steps.find(
    (step) =>
      step.name === name &&
      step.state === 'done' &&
      Object.entries(inputs).every(([key, value]) => step.input[key] === value),
  );
  const parsed = v.safeParse(schema, found?.output);
  if (parsed.success) return ok(parsed.output);
  return fail({
    reason: name === 'storage.attach' ? 'STORAGE' : 'NETWORK',
    message: `step ${name} of ${JSON.stringify(inputs)} left nothing that a domain can be built with`,
    remedy: 'Cancel the operation, and start the VM again.',
  });
}
