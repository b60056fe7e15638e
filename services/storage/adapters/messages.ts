import type { Stored } from '../../../pool/collection.ts';
import type { SrRecord, VdiRecord } from '../../../pool/records/storage.ts';
import { timestampMessage } from '../../../pool/rpc/timestamp.ts';
import type { Sr, SrType, Vdi, VdiState } from '../../../proto/gen/flotilla.storage.v1.ts';

const srTypes: Readonly<Record<SrRecord['type'], SrType>> = { file: 'SR_TYPE_FILE' };

const vdiStates: Readonly<Record<VdiRecord['lifecycle'], VdiState>> = {
  creating: 'VDI_STATE_CREATING',
  ready: 'VDI_STATE_READY',
  deleting: 'VDI_STATE_DELETING',
};

/** An SR as the API shows it; `virtualAllocated` is the sum of its VDIs' sizes. */
export function srMessage({ record, modRevision }: Stored<SrRecord>, virtualAllocated: number): Sr {
  const { id, name, type, host, physicalSize, physicalFree } = record;
  const space = { physicalSize, physicalFree, virtualAllocated };
  return { id, name, type: srTypes[type], host, ...space, revision: modRevision };
}

/** A VDI as the API shows it; `attachedVm` is empty if no VM has it. */
export function vdiMessage({ record, modRevision }: Stored<VdiRecord>, attachedVm: string): Vdi {
  const { id, name, sr, virtualSize, lifecycle, createdAt } = record;
  return {
    ...{ id, name, sr, virtualSize, attachedVm },
    state: vdiStates[lifecycle],
    createTime: timestampMessage(createdAt),
    revision: modRevision,
  };
}
