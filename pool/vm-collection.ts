import { isDeepStrictEqual } from 'node:util';
import type { Collection } from './collection.ts';
import type { Transaction } from './database.ts';
import type { NamedCollection } from './named-collection.ts';
import type { VmDisks, VmNics, VmRecord } from './records/vm.ts';
import { together, writing } from './transaction.ts';

/** Where what other services may know of a VM is kept. */
export interface VmExcerpts {
  readonly vmNics: Collection<VmNics>;
  readonly vmDisks: Collection<VmDisks>;
}

/**
 * The records of VMs. Every transaction that makes, changes or deletes one keeps `vm-nics/<id>` and
 * `vm-disks/<id>` in step: the network and the storage service read those instead of the record.
 */
export function vmCollection(
  vms: NamedCollection<VmRecord>,
  { vmNics, vmDisks }: VmExcerpts,
): NamedCollection<VmRecord> {
  const telling = (record: VmRecord, before: VmRecord | null): Transaction => {
    const changed = <Excerpt>(excerptOf: (vm: VmRecord) => Excerpt) =>
      before === null || !isDeepStrictEqual(excerptOf(before), excerptOf(record));
    return writing(
      ...(changed(nicsOf) ? [vmNics.put(record.id, nicsOf(record))] : []),
      ...(changed(disksOf) ? [vmDisks.put(record.id, disksOf(record))] : []),
    );
  };
  return {
    ...vms,
    creating: (record) => together(vms.creating(record), telling(record, null)),
    replacing: (stored, record) =>
      together(vms.replacing(stored, record), telling(record, stored.record)),
    deleting: (stored) => {
      const { id } = stored.record;
      return together(vms.deleting(stored), writing(vmNics.remove(id), vmDisks.remove(id)));
    },
  };
}

function nicsOf({ name, epoch, nics }: VmRecord): VmNics {
  return { name, epoch, networks: nics.map(({ network }) => network) };
}

function disksOf({ name, epoch, disks }: VmRecord): VmDisks {
  return { name, epoch, vdis: disks.map(({ vdi }) => vdi) };
}
