import { fail, ok, type Result } from '../../../base/result.ts';
import type { DomainId } from '../../../hypervisor/port.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Epoch, OperationId, VdiId, VmId } from '../../../pool/records/identifiers.ts';
import { serviceCallDeadline as timeout } from '../../../pool/rpc/deadline.ts';
import { failureOf } from '../../../pool/rpc/status.ts';
import type { Connection } from '../../../proto/client.ts';
import { AttachmentService, StorageService } from '../../../proto/gen/flotilla.storage.v1.ts';
import type { HostStorage } from './host-storage.ts';

/** The host's storage service behind its API. */
export function grpcStorage(connection: Connection): HostStorage {
  const attachments = connection.client(AttachmentService);
  const storage = connection.client(StorageService);
  return {
    attach: async (disk) => {
      const answer = await attachments.attach(disk, { timeout });
      if (!answer.ok) return fail(failureOf(answer.error));
      const { path, device, backend } = answer.value;
      return ok({
        path,
        device: device === '' ? null : device,
        backend: backend as DomainId,
      });
    },
    detach: async (disk) => done(await attachments.detach(disk, { timeout })),
    attachments: async () => {
      const answer = await attachments.listAttachments({}, { timeout });
      if (!answer.ok) return fail(failureOf(answer.error));
      return ok(
        answer.value.attachments.map(({ vdi, vm, epoch }) => ({
          vdi: vdi as VdiId,
          vm: vm as VmId,
          epoch: epoch as Epoch,
        })),
      );
    },
    create: async ({ vdi, name, sr, size }) => {
      const request = { name, sr, virtualSize: size, requestId: vdi };
      const answer = await storage.createVdi(request, { timeout });
      return answer.ok ? ok(answer.value.id as OperationId) : fail(failureOf(answer.error));
    },
    remove: async (vdi) => {
      const answer = await storage.deleteVdi({ vdi }, { timeout });
      if (answer.ok) return ok(answer.value.id as OperationId);
      const failure = failureOf(answer.error);
      return failure.reason === 'NOT_FOUND' ? ok(null) : fail(failure);
    },
  };
}

function done(answer: Result<unknown, Parameters<typeof failureOf>[0]>): Result<void, Failure> {
  return answer.ok ? ok(undefined) : fail(failureOf(answer.error));
}
