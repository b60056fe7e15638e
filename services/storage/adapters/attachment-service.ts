import { ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import { type Mounted, mount } from '../../../pool/rpc/handler.ts';
import type { Input } from '../../../proto/codec.ts';
import { type Attachment, AttachmentService } from '../../../proto/gen/flotilla.storage.v1.ts';
import type { Attached, Attachments, Detachment } from './attachments.ts';
import { epochField, vdiIdField, vmIdField } from './fields.ts';

/**
 * This host's view of storage: what the VM lifecycle service of the same host asks for. `domain` is
 * the domain that this service runs in, whose kernel serves the disks.
 */
export function attachmentService(attachments: Attachments, domain: number): Mounted {
  const message = ({ record, path, device }: Attached): Input<Attachment> => {
    return { ...record, path, device, backend: domain };
  };
  return mount(AttachmentService, {
    attach: async (request) => {
      const claim = claimOf(request);
      if (!claim.ok) return claim;
      const { readOnly } = request;
      const attached = await attachments.attach({ ...claim.value, readOnly });
      return attached.ok ? ok(message(attached.value)) : attached;
    },
    detach: async (request) => {
      const claim = claimOf(request);
      if (!claim.ok) return claim;
      const detached = await attachments.detach(claim.value);
      return detached.ok ? ok({}) : detached;
    },
    listAttachments: async () => {
      const attached = await attachments.list();
      return attached.ok ? ok({ attachments: attached.value.map(message) }) : attached;
    },
  });
}

function claimOf(request: {
  readonly vdi: string;
  readonly vm: string;
  readonly epoch: number;
}): Result<Detachment, Failure> {
  const vdi = vdiIdField('vdi', request.vdi);
  if (!vdi.ok) return vdi;
  const vm = vmIdField(request.vm);
  if (!vm.ok) return vm;
  const epoch = epochField(request.epoch);
  return epoch.ok ? ok({ vdi: vdi.value, vm: vm.value, epoch: epoch.value }) : epoch;
}
