import * as v from 'valibot';
import {
  BytesSchema,
  EpochSchema,
  NetworkIdSchema,
  SrIdSchema,
  VdiIdSchema,
  VmIdSchema,
} from '../../../../pool/records/identifiers.ts';
import { VmDiskSchema, VmNicSchema, VmRecordSchema } from '../../../../pool/records/vm.ts';
import type { StepInputs, StepName } from '../../core/step.ts';

const { vdev, readOnly } = VmDiskSchema.entries;
const { network, mac } = VmNicSchema.entries;
const claim = { vm: VmIdSchema, epoch: EpochSchema };
const vmAlone = v.object({ vm: VmIdSchema });
const claimAlone = v.object(claim);
const nicIndex = v.pipe(v.number(), v.integer(), v.minValue(0));
const attachedDisk = v.object({ ...claim, vdi: VdiIdSchema, vdev, readOnly });
const domain = VmRecordSchema.entries;

/** How the input of each step is stored. The core's types and these agree, or this does not compile. */
export const stepSchemas = {
  'boot.check': v.object({ kernel: v.string(), ramdisk: v.string() }),
  'vdi.create': v.object({
    vdi: VdiIdSchema,
    name: v.string(),
    sr: SrIdSchema,
    size: BytesSchema,
  }),
  'vm.publish': v.object({ vm: VmIdSchema, disks: VmRecordSchema.entries.disks }),
  'vm.drop-disks': vmAlone,
  'vdi.delete': v.object({ vdi: VdiIdSchema, name: v.string() }),
  'vm.remove': vmAlone,
  'vm.claim': claimAlone,
  'storage.attach': attachedDisk,
  'network.prepare': v.object({ network: NetworkIdSchema, index: nicIndex }),
  'domain.create': v.object({
    ...claim,
    name: domain.name,
    type: domain.type,
    memory: domain.memory,
    vcpus: domain.vcpus,
    kernel: domain.kernel,
    ramdisk: domain.ramdisk,
    commandLine: domain.commandLine,
    disks: v.array(v.object({ vdi: VdiIdSchema, vdev, readOnly })),
    nics: v.array(v.object({ network, mac })),
  }),
  'disk.connect': attachedDisk,
  'vif.plug': v.object({ ...claim, index: nicIndex, network, mac }),
  'nic.connect': v.object({ ...claim, index: nicIndex }),
  'domain.unpause': claimAlone,
  'vm.running': claimAlone,
  'domain.request-shutdown': v.object({ ...claim, reason: v.picklist(['poweroff', 'reboot']) }),
  'domain.await-shutdown': v.object({
    ...claim,
    timeoutSeconds: v.pipe(v.number(), v.integer(), v.minValue(0)),
  }),
  'disk.reconnect': attachedDisk,
  'nic.reconnect': v.object({ ...claim, index: nicIndex, network, mac }),
  'domain.destroy': claimAlone,
  'vif.unplug': v.object({ ...claim, index: nicIndex }),
  'storage.detach': v.object({ ...claim, vdi: VdiIdSchema, vdev }),
  'vm.release': v.object({ ...claim, detail: v.string() }),
} satisfies { readonly [Name in StepName]: v.GenericSchema<unknown, StepInputs[Name]> };
