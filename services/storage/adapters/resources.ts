import type { Stored } from '../../../pool/collection.ts';
import type { Entry } from '../../../pool/database.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { AttachmentRecord, SrRecord, VdiRecord } from '../../../pool/records/storage.ts';
import type { Sr, Vdi } from '../../../proto/gen/flotilla.storage.v1.ts';
import { srMessage, vdiMessage } from './messages.ts';

/**
 * What the records of VDIs add to an SR: how much its VDIs may grow to. By the SR's id; an SR without
 * VDIs is not in it.
 */
export function allocatedBySr(vdis: Iterable<VdiRecord>): ReadonlyMap<string, number> {
  const allocated = new Map<string, number>();
  for (const { sr, virtualSize } of vdis) allocated.set(sr, (allocated.get(sr) ?? 0) + virtualSize);
  return allocated;
}

/** The pool's resources as copies of database entries make them. A record is decoded once. */
export interface EntryResources {
  sr(id: string, entries: ReadonlyMap<string, Entry>): Sr | null;
  vdi(id: string, entries: ReadonlyMap<string, Entry>): Vdi | null;
  /** The SRs that an entry is a part of: itself, or the SR of a VDI. */
  srIdsOf(entry: Entry): readonly string[];
  /** The VDIs that an entry is a part of: itself, or what is attached. */
  vdiIdsOf(entry: Entry): readonly string[];
}

/** Reads resources from entries; records that cannot be read are left out. */
export function entryResources(pool: Pool): EntryResources {
  const srs = decodedOnce<SrRecord>((entry) => pool.srs.decode(entry));
  const vdis = decodedOnce<VdiRecord>((entry) => pool.vdis.decode(entry));
  const attachments = decodedOnce<AttachmentRecord>((entry) => pool.attachments.decode(entry));
  const vdiRecords = function* (entries: ReadonlyMap<string, Entry>) {
    for (const entry of entries.values()) {
      const vdi = pool.vdis.idOf(entry.key) === null ? null : vdis(entry);
      if (vdi !== null) yield vdi.record;
    }
  };
  return {
    sr: (id, entries) => {
      const sr = srs(entries.get(pool.srs.key(id)));
      if (sr === null) return null;
      return srMessage(sr, allocatedBySr(vdiRecords(entries)).get(id) ?? 0);
    },
    vdi: (id, entries) => {
      const vdi = vdis(entries.get(pool.vdis.key(id)));
      if (vdi === null) return null;
      const attachment = attachments(entries.get(pool.attachments.key(id)));
      return vdiMessage(vdi, attachment?.record.vm ?? '');
    },
    srIdsOf: (entry) => {
      const id = pool.srs.idOf(entry.key);
      if (id !== null) return [id];
      const vdi = vdis(entry);
      return vdi === null ? [] : [vdi.record.sr];
    },
    vdiIdsOf: ({ key }) => {
      const id = pool.vdis.idOf(key) ?? pool.attachments.idOf(key);
      return id === null ? [] : [id];
    },
  };
}

type Decode<Value> = (
  entry: Entry,
) => { readonly ok: true; readonly value: Stored<Value> } | { readonly ok: false };

function decodedOnce<Value>(
  decode: Decode<Value>,
): (entry: Entry | undefined) => Stored<Value> | null {
  const known = new WeakMap<Entry, Stored<Value> | null>();
  return (entry) => {
    if (entry === undefined) return null;
    const earlier = known.get(entry);
    if (earlier !== undefined) return earlier;
    const read = decode(entry);
    const stored = read.ok ? read.value : null;
    known.set(entry, stored);
    return stored;
  };
}
