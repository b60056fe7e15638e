import { ok, type Result } from '../../../base/result.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { Failure } from '../../../pool/failure.ts';
import { operationMessage } from '../../../pool/operations/message.ts';
import type { Pool } from '../../../pool/pool.ts';
import { type Mounted, mount } from '../../../pool/rpc/handler.ts';
import { nextPageToken, pageItems, pageOf } from '../../../pool/rpc/paging.ts';
import { watchResources } from '../../../pool/rpc/watch.ts';
import type { Input } from '../../../proto/codec.ts';
import {
  type ListSrsRequest,
  type ListSrsResponse,
  type ListVdisRequest,
  type ListVdisResponse,
  type SrEvent,
  StorageService,
  type VdiEvent,
} from '../../../proto/gen/flotilla.storage.v1.ts';
import { srMessage, vdiMessage } from './messages.ts';
import { allocatedBySr, entryResources } from './resources.ts';
import { createVdi, deleteVdi, updateVdi } from './vdi-requests.ts';

/** The pool's view of storage: it needs nothing but the pool database, so any host answers. */
export function storageService(pool: Pool, clock: Clock): Mounted {
  const { database, srs, vdis, attachments } = pool;
  const resources = entryResources(pool);
  return mount(StorageService, {
    getSr: async (request) => {
      const stored = await srs.find(request.sr);
      if (!stored.ok) return stored;
      const allocated = await allocation(pool);
      if (!allocated.ok) return allocated;
      return ok(srMessage(stored.value, allocated.value.get(stored.value.record.id) ?? 0));
    },
    listSrs: (request) => listSrs(pool, request),
    watchSrs: ({ resumeRevision }, call) =>
      watchResources<Input<SrEvent>['sr'], SrEvent>(
        {
          ...{ database, resumeRevision, prefixes: [srs.prefix, vdis.prefix] },
          idsOf: resources.srIdsOf,
          resource: resources.sr,
          event: (type, sr, revision) => ({ type, sr, revision }),
        },
        call,
      ),
    getVdi: async (request) => {
      const stored = await vdis.find(request.vdi);
      if (!stored.ok) return stored;
      const attachment = await attachments.get(stored.value.record.id);
      if (!attachment.ok) return attachment;
      return ok(vdiMessage(stored.value, attachment.value?.record.vm ?? ''));
    },
    listVdis: (request) => listVdis(pool, request),
    watchVdis: ({ resumeRevision }, call) =>
      watchResources<Input<VdiEvent>['vdi'], VdiEvent>(
        {
          ...{ database, resumeRevision, prefixes: [vdis.prefix, attachments.prefix] },
          idsOf: resources.vdiIdsOf,
          resource: resources.vdi,
          event: (type, vdi, revision) => ({ type, vdi, revision }),
        },
        call,
      ),
    createVdi: async (request) => {
      const started = await createVdi(pool, clock, request);
      return started.ok ? ok(operationMessage(started.value)) : started;
    },
    updateVdi: async (request) => {
      const updated = await updateVdi(pool, request);
      if (!updated.ok) return updated;
      const attachment = await attachments.get(updated.value.record.id);
      if (!attachment.ok) return attachment;
      return ok(vdiMessage(updated.value, attachment.value?.record.vm ?? ''));
    },
    deleteVdi: async (request, call) => {
      const started = await deleteVdi(pool, clock, request, call.signal);
      return started.ok ? ok(operationMessage(started.value)) : started;
    },
  });
}

async function allocation(pool: Pool): Promise<Result<ReadonlyMap<string, number>, Failure>> {
  const vdis = await pool.vdis.all();
  return vdis.ok ? ok(allocatedBySr(vdis.value.map(({ record }) => record))) : vdis;
}

/** SRs are few, at most some on each host, so a filtered page is cut from all of them. */
async function listSrs(
  pool: Pool,
  request: ListSrsRequest,
): Promise<Result<Input<ListSrsResponse>, Failure>> {
  const page = pageOf(request);
  if (!page.ok) return page;
  const host = request.host === '' ? null : await pool.hosts.find(request.host);
  if (host !== null && !host.ok) return host;
  const all = await pool.srs.all();
  if (!all.ok) return all;
  const allocated = await allocation(pool);
  if (!allocated.ok) return allocated;
  const wanted = all.value.filter(
    ({ record }) => host === null || record.host === host.value.record.id,
  );
  const { items, nextPageToken } = pageItems(wanted, ({ key }) => key, page.value);
  const srs = items.map((sr) => srMessage(sr, allocated.value.get(sr.record.id) ?? 0));
  return ok({ srs, nextPageToken });
}

/** Of one SR, a page is cut from all of its VDIs; otherwise it is a page of the database. */
async function listVdis(
  pool: Pool,
  request: ListVdisRequest,
): Promise<Result<Input<ListVdisResponse>, Failure>> {
  const page = pageOf(request);
  if (!page.ok) return page;
  const attachments = await pool.attachments.all();
  if (!attachments.ok) return attachments;
  const users = new Map(attachments.value.map(({ record }) => [record.vdi, record.vm]));
  if (request.sr === '') {
    const read = await pool.vdis.list(page.value);
    if (!read.ok) return read;
    const vdis = read.value.items.map((vdi) => vdiMessage(vdi, users.get(vdi.record.id) ?? ''));
    return ok({ vdis, nextPageToken: nextPageToken(read.value) });
  }
  const sr = await pool.srs.find(request.sr);
  if (!sr.ok) return sr;
  const all = await pool.vdis.all();
  if (!all.ok) return all;
  const wanted = all.value.filter(({ record }) => record.sr === sr.value.record.id);
  const { items, nextPageToken: next } = pageItems(wanted, ({ key }) => key, page.value);
  const vdis = items.map((vdi) => vdiMessage(vdi, users.get(vdi.record.id) ?? ''));
  return ok({ vdis, nextPageToken: next });
}
