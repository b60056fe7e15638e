import { randomUUID } from 'node:crypto';
import { present } from '../../../../base/assert.ts';
import { bounds } from '../../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { bytes, formatBytes } from '../../../../base/units.ts';
import type { Stored } from '../../../../pool/collection.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { nameKey } from '../../../../pool/keys.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { VdiId } from '../../../../pool/records/identifiers.ts';
import type { SrRecord } from '../../../../pool/records/storage.ts';
import type { VmDisk } from '../../../../pool/records/vm.ts';
import type { DraftDisk } from '../../core/device-validation.ts';
import type { Anchor } from '../../core/placement.ts';
import type { NewDisk } from '../../core/planner.ts';

/** A disk of a new VM, once what it names was found. */
export type ResolvedDisk = {
  readonly vdi: VdiId;
  readonly readOnly: boolean;
} /** `read`: as it was when it was found ready; its deletion may begin at any moment. */ & (
  | { readonly kind: 'existing'; readonly anchor: Anchor; readonly read: Stored<unknown> }
  | {
      readonly kind: 'pinned';
      readonly anchor: Anchor;
      readonly name: string;
      readonly size: number;
      readonly sr: SrRecord;
    }
  /** To be made on whichever host the VM is made on. */
  | { readonly kind: 'floating'; readonly name: string; readonly size: number }
);

/** Finds the disk images and repositories that the disks name. */
export async function resolveDisks(
  pool: Pool,
  vm: string,
  disks: readonly DraftDisk[],
): Promise<Result<ResolvedDisk[], Failure>> {
  const resolved: ResolvedDisk[] = [];
  for (const [index, disk] of disks.entries()) {
    const found =
      disk.vdi === ''
        ? await newDisk(pool, vm, disk, index)
        : await existingDisk(pool, disk, index);
    if (!found.ok) return found;
    const earlier = resolved.findIndex((other) => other.vdi === found.value.vdi);
    if (earlier >= 0) return fail(twice(disk.vdi, earlier, index));
    resolved.push(found.value);
  }
  return ok(resolved);
}

/** The VM's disks with their devices, and those to be made, once the host is chosen. */
export function locateNew(
  disks: readonly ResolvedDisk[],
  srs: readonly SrRecord[],
  host: string,
): Result<{ disks: VmDisk[]; newDisks: NewDisk[] }, Failure> {
  const free = new Map(
    srs.filter((sr) => sr.host === host).map((sr) => [sr, sr.physicalFree as number]),
  );
  const newDisks: NewDisk[] = [];
  for (const disk of disks) {
    if (disk.kind === 'existing') continue;
    const sr = disk.kind === 'pinned' ? disk.sr : roomiest(free);
    newDisks.push({ vdi: disk.vdi, name: disk.name, sr: sr.id, size: disk.size });
    free.set(sr, (free.get(sr) ?? 0) - disk.size);
  }
  return ok({
    newDisks,
    disks: disks.map(({ vdi, readOnly, kind }, index) => ({
      vdi,
      vdev: vdevOf(index),
      readOnly,
      owned: kind !== 'existing',
    })),
  });
}

function roomiest(free: ReadonlyMap<SrRecord, number>): SrRecord {
  const inOrder = [...free].sort(([a, x], [b, y]) => y - x || (a.id < b.id ? -1 : 1));
  return present(inOrder[0]?.[0], 'a host that was chosen for new disks has an SR');
}

async function existingDisk(
  pool: Pool,
  disk: DraftDisk,
  index: number,
): Promise<Result<ResolvedDisk, Failure>> {
  const field = `vm.disks[${index}].vdi`;
  const image = await pool.vdis.find(disk.vdi);
  if (!image.ok) return fail({ ...image.error, field });
  const { id, name, lifecycle, sr: srId } = image.value.record;
  if (lifecycle !== 'ready')
    return fail({
      reason: 'WRONG_STATE',
      message: `disk ${name} is ${lifecycle}`,
      remedy: 'Wait until it is ready, or name another disk.',
      resource: { type: 'vdi', name },
      field,
    });
  const sr = await pool.srs.find(srId);
  if (!sr.ok) return fail({ ...sr.error, field });
  const anchor = { what: `disk ${name} (SR ${sr.value.record.name})`, host: sr.value.record.host };
  return ok({ kind: 'existing', vdi: id, readOnly: disk.readOnly, anchor, read: image.value });
}

async function newDisk(
  pool: Pool,
  vm: string,
  disk: DraftDisk,
  index: number,
): Promise<Result<ResolvedDisk, Failure>> {
  const vdi = randomUUID() as string as VdiId;
  const name = await freeName(pool, vm, index, vdi);
  if (!name.ok) return name;
  const common = { vdi, readOnly: disk.readOnly, name: name.value, size: disk.size };
  if (disk.sr === '') return ok({ kind: 'floating', ...common });
  const sr = await pool.srs.find(disk.sr);
  if (!sr.ok) return fail({ ...sr.error, field: `vm.disks[${index}].sr` });
  const { record } = sr.value;
  if (record.physicalFree < disk.size) return fail(noSpace(record, disk.size, index));
  const anchor = { what: `SR ${record.name} of disk ${vdevOf(index)}`, host: record.host };
  return ok({ kind: 'pinned', ...common, sr: record, anchor });
}

/** `web-xvda`; where that is taken, with the first digits of the image's id. */
async function freeName(
  pool: Pool,
  vm: string,
  index: number,
  vdi: VdiId,
): Promise<Result<string, Failure>> {
  const plain = `${vm.slice(0, bounds.nameLength - '-xvda-12345678'.length)}-${vdevOf(index)}`;
  const taken = await pool.database.get(nameKey('vdi', plain));
  if (!taken.ok) return taken;
  return ok(taken.value === null ? plain : `${plain}-${vdi.slice(0, 8)}`);
}

/** The guest's name for the disk of this place: `xvda` for the first. */
function vdevOf(index: number): string {
  return `xvd${String.fromCharCode('a'.charCodeAt(0) + index)}`;
}

function twice(vdi: string, earlier: number, index: number): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `vm.disks[${index}].vdi: ${vdi} is disks[${earlier}] as well; a VM has a disk once`,
    remedy: 'Correct the request; nothing was changed.',
    field: `vm.disks[${index}].vdi`,
  };
}

function noSpace(sr: SrRecord, size: number, index: number): Failure {
  return {
    reason: 'NO_SPACE',
    message: `sr ${sr.name} has ${formatBytes(sr.physicalFree)} free, and disk ${vdevOf(index)} may need ${formatBytes(bytes(size))}`,
    remedy: 'Choose another SR or a smaller size, or delete disks that are not needed.',
    resource: { type: 'sr', name: sr.name },
    field: `vm.disks[${index}].size`,
  };
}
