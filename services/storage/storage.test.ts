import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import test from 'ava';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { systemClock } from '../../pool/clock.ts';
import type { PoolDatabase } from '../../pool/database.ts';
import type { Failure } from '../../pool/failure.ts';
import { openPool, type Pool } from '../../pool/pool.ts';
import type { Epoch, HostId, VdiId } from '../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../pool/records/operation.ts';
import type { VmRecord } from '../../pool/records/vm.ts';
import { failureOf } from '../../pool/rpc/status.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { connect } from '../../proto/client.ts';
import type { Operation } from '../../proto/gen/flotilla.pool.v1.ts';
import {
  AttachmentService,
  StorageService,
  type VdiEvent,
} from '../../proto/gen/flotilla.storage.v1.ts';
import {
  eventually,
  hostIsUp,
  storeVm,
  thisHost,
  vmPut,
  vmRecord,
} from '../../test/fixtures/pool-records.ts';
import type { StorageConfiguration } from './configuration.ts';
import { startStorage } from './main.ts';

const patience = { timeout: milliseconds(30_000) };
const otherHost = '00000000-0000-4000-8000-000000000002' as HostId;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const gibibyte = 2 ** 30;

function configurationIn(directory: string, changes: Partial<StorageConfiguration> = {}) {
  return {
    hostId: thisHost,
    hostName: 'host-1',
    listen: '127.0.0.1:0',
    store: ['127.0.0.1:1'],
    dataDir: directory,
    tls: undefined,
    srs: [{ name: 'local-1', path: join(directory, 'sr') }],
    attach: 'file',
    ...changes,
  } satisfies StorageConfiguration;
}

async function start(pool: Pool, directory: string, changes: Partial<StorageConfiguration> = {}) {
  return startStorage(configurationIn(directory, changes), {
    ...{ pool, credentials: null, clock: systemClock, log: quiet },
  });
}

/** A service over a database and a folder of its own, with clients. */
async function running(database: PoolDatabase, directory: string) {
  const pool = openPool(database);
  await hostIsUp(pool, thisHost);
  const service = await start(pool, directory);
  if (!service.ok) throw new Error(service.error.message);
  const connection = connect(service.value.address, credentials.createInsecure());
  return {
    pool,
    storage: connection.client(StorageService),
    attachments: connection.client(AttachmentService),
    close: async () => {
      connection.close();
      await service.value.close();
    },
  };
}

type Service = Awaited<ReturnType<typeof running>>;

async function withStorage(
  work: (service: Service, sr: string, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'storage-'));
  const database = simulatedDatabase();
  const service = await running(database, directory);
  try {
    await work(service, join(directory, 'sr'), directory);
  } finally {
    await service.close();
    database.close();
    await rm(directory, { recursive: true });
  }
}

function value<Value>(result: Result<Value, ServiceError>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function refusal(result: Result<unknown, ServiceError>): Failure {
  if (result.ok) throw new Error('it succeeded');
  return failureOf(result.error);
}

/** The operation when it has ended. */
function ended(pool: Pool, operation: Pick<Operation, 'id'>): Promise<OperationRecord> {
  return eventually(`the operation ${operation.id} ends`, async () => {
    const stored = await pool.operations.get(operation.id);
    if (!stored.ok || stored.value === null || stored.value.record.endedAt === null) return null;
    return stored.value.record;
  });
}

async function made(service: Service, name: string, virtualSize = gibibyte): Promise<VdiId> {
  const operation = value(await service.storage.createVdi({ name, virtualSize }, patience));
  const { state, failure } = await ended(service.pool, operation);
  if (state !== 'succeeded') throw new Error(failure?.message);
  return operation.resourceId as VdiId;
}

async function images(sr: string): Promise<string[]> {
  return (await readdir(sr)).filter((name) => name.includes('.raw')).sort();
}

test('the SR of the configuration is made at the first start and is the same one ever after', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'storage-'));
  const database = simulatedDatabase();
  const first = await running(database, directory);
  const { srs } = value(await first.storage.listSrs({}, patience));
  await first.close();
  const second = await running(database, directory);
  t.deepEqual(value(await second.storage.listSrs({}, patience)).srs[0]?.id, srs[0]?.id);
  t.is(srs.length, 1);
  t.like(srs[0], { name: 'local-1', type: 'SR_TYPE_FILE', host: thisHost, virtualAllocated: 0 });
  t.true((srs[0]?.physicalFree ?? 0) > 0);
  await second.close();
  database.close();
  await rm(directory, { recursive: true });
});

test('a VDI is made, found by name and id, renamed, and deleted with its image', async (t) => {
  await withStorage(async (service, sr) => {
    const { storage, pool } = service;
    const id = await made(service, 'web-xvda', gibibyte - 100);
    t.deepEqual(await images(sr), [`${id}.raw`]);
    t.is((await stat(join(sr, `${id}.raw`))).size, gibibyte);
    const vdi = value(await storage.getVdi({ vdi: 'web-xvda' }, patience));
    t.like(vdi, { id, virtualSize: gibibyte, state: 'VDI_STATE_READY', attachedVm: '' });
    t.is(value(await storage.getSr({ sr: 'local-1' }, patience)).virtualAllocated, gibibyte);
    t.like(value(await storage.updateVdi({ vdi: id, name: 'db-xvda' }, patience)), {
      name: 'db-xvda',
    });
    t.is(refusal(await storage.getVdi({ vdi: 'web-xvda' }, patience)).reason, 'NOT_FOUND');
    const deletion = value(await storage.deleteVdi({ vdi: 'db-xvda' }, patience));
    t.is((await ended(pool, deletion)).state, 'succeeded');
    t.is(refusal(await storage.getVdi({ vdi: id }, patience)).reason, 'NOT_FOUND');
    t.deepEqual(await images(sr), []);
    await made(service, 'db-xvda');
  });
});

test('a request that is repeated is one request, and its id is that of the VDI', async (t) => {
  await withStorage(async ({ storage, pool }, sr) => {
    const request = { name: 'once', virtualSize: 512, requestId: randomUUID() };
    const first = value(await storage.createVdi(request, patience));
    const again = value(await storage.createVdi(request, patience));
    t.is(first.id, again.id);
    t.is(first.resourceId, request.requestId);
    await ended(pool, first);
    t.is(value(await storage.createVdi(request, patience)).id, first.id);
    t.deepEqual(await images(sr), [`${request.requestId}.raw`]);
    const deletion = { vdi: 'once', requestId: randomUUID() };
    const gone = value(await storage.deleteVdi(deletion, patience));
    await ended(pool, gone);
    t.is(value(await storage.deleteVdi(deletion, patience)).id, gone.id);
  });
});

test('what cannot be is refused with the field and what to do, and nothing changes', async (t) => {
  await withStorage(async (service, sr) => {
    const { storage } = service;
    await made(service, 'taken', 512);
    const before = value(await storage.listVdis({}, patience));
    const refused = [
      [{ name: 'Not A Name', virtualSize: 512 }, 'INVALID_FIELD', 'name'],
      [{ name: '', virtualSize: 512 }, 'INVALID_FIELD', 'name'],
      [{ name: 'new', virtualSize: 0 }, 'INVALID_FIELD', 'virtual_size'],
      [{ name: 'new', virtualSize: -1 }, 'INVALID_FIELD', 'virtual_size'],
      [{ name: 'new', virtualSize: 2 ** 46 + 1 }, 'INVALID_FIELD', 'virtual_size'],
      [{ name: 'new', virtualSize: 2 ** 46 }, 'NO_SPACE', 'virtual_size'],
      [{ name: 'new', virtualSize: 512, requestId: '../../etc' }, 'INVALID_FIELD', 'request_id'],
      [{ name: 'new', virtualSize: 512, sr: 'nowhere' }, 'NOT_FOUND', 'sr'],
      [{ name: 'new', virtualSize: 2 ** 46, sr: 'local-1' }, 'NO_SPACE', 'virtual_size'],
      [{ name: 'taken', virtualSize: 512 }, 'NAME_TAKEN', 'name'],
    ] as const;
    for (const [request, reason, field] of refused) {
      const failure = refusal(await storage.createVdi(request, patience));
      t.is(failure.reason, reason, failure.message);
      t.is(failure.field, field, failure.message);
      t.not(failure.remedy, '', failure.message);
    }
    t.is(refusal(await storage.deleteVdi({ vdi: 'nothing' }, patience)).reason, 'NOT_FOUND');
    t.deepEqual(value(await storage.listVdis({}, patience)), before);
    t.is((await images(sr)).length, 1);
  });
});

test('validating changes nothing', async (t) => {
  await withStorage(async (service, sr) => {
    const { storage } = service;
    const dry = { validateOnly: true } as const;
    const id = await made(service, 'kept', 512);
    value(await storage.createVdi({ name: 'dry', virtualSize: 512, ...dry }, patience));
    value(await storage.updateVdi({ vdi: 'kept', name: 'dry', ...dry }, patience));
    value(await storage.deleteVdi({ vdi: 'kept', ...dry }, patience));
    const { vdis } = value(await storage.listVdis({}, patience));
    t.deepEqual(
      vdis.map((vdi) => [vdi.name, vdi.state]),
      [['kept', 'VDI_STATE_READY']],
    );
    t.deepEqual(await images(sr), [`${id}.raw`]);
  });
});

test('a VDI goes only to an SR of a host that is up', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'storage-'));
  const database = simulatedDatabase();
  const service = await running(database, directory);
  const { storage, pool } = service;
  await database.transact({ comparisons: [], writes: [pool.hostLeases.remove(thisHost)] });
  const request = { name: 'new', virtualSize: 512 };
  const named = refusal(await storage.createVdi({ ...request, sr: 'local-1' }, patience));
  t.like(named, { reason: 'HOST_UNREACHABLE', field: 'sr' });
  t.is(refusal(await storage.createVdi(request, patience)).reason, 'NO_SPACE');
  await service.close();
  database.close();
  await rm(directory, { recursive: true });
});

test('a VDI that a VM names or has attached is not deleted', async (t) => {
  await withStorage(async (service, sr) => {
    const { storage, attachments, pool } = service;
    const vdi = await made(service, 'web-xvda', 512);
    const vm = await storeVm(pool, vmRecord({ disks: [] }));
    const claim = { vdi, vm: vm.id, epoch: 1 };
    value(await attachments.attach(claim, patience));
    const attached = refusal(await storage.deleteVdi({ vdi }, patience));
    t.is(attached.reason, 'WRONG_STATE');
    value(await attachments.detach(claim, patience));
    const disk = { vdi, vdev: 'xvda', readOnly: false, owned: true };
    await storeVm(pool, { ...vm, disks: [disk] });
    const named = refusal(await storage.deleteVdi({ vdi }, patience));
    t.like(named, {
      reason: 'WRONG_STATE',
      message: `the disk "web-xvda" is a disk of the VM "${vm.name}"`,
    });
    await storeVm(pool, vm);
    await ended(pool, value(await storage.deleteVdi({ vdi }, patience)));
    t.deepEqual(await images(sr), []);
  });
});

test('a VM that takes a VDI at the moment when its deletion is recorded keeps it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'storage-'));
  const database = simulatedDatabase();
  let vm: VmRecord | null = null;
  const racing: PoolDatabase = {
    ...database,
    transact: ({ comparisons, writes }) => {
      const marks = writes.some(
        (write) => write.kind === 'put' && write.value.includes('"lifecycle":"deleting"'),
      );
      const taken = marks && vm !== null ? [vmPut(vm)] : [];
      return database.transact({ comparisons, writes: [...writes, ...taken] });
    },
  };
  const service = await running(racing, directory);
  const vdi = await made(service, 'web-xvda', 512);
  vm = vmRecord({ disks: [{ vdi, vdev: 'xvda', readOnly: false, owned: false }] });
  const deletion = value(await service.storage.deleteVdi({ vdi }, patience));
  t.like(await ended(service.pool, deletion), {
    state: 'failed',
    failure: { reason: 'WRONG_STATE' },
  });
  t.is(value(await service.storage.getVdi({ vdi }, patience)).state, 'VDI_STATE_READY');
  t.deepEqual(await images(join(directory, 'sr')), [`${vdi}.raw`]);
  await service.close();
  database.close();
  await rm(directory, { recursive: true });
});

test('a disk is attached for the newest claim of one VM at a time', async (t) => {
  await withStorage(async (service, sr) => {
    const { attachments, pool, storage } = service;
    const vdi = await made(service, 'shared', 512);
    const web = await storeVm(pool, vmRecord({ epoch: 2 as Epoch }));
    const db = await storeVm(pool, vmRecord());
    const claim = { vdi, vm: web.id, epoch: 2 };
    const path = join(sr, `${vdi}.raw`);
    t.like(value(await attachments.attach(claim, patience)), { path, epoch: 2, readOnly: false });
    t.like(value(await attachments.attach(claim, patience)), { path });
    t.is(value(await storage.getVdi({ vdi }, patience)).attachedVm, web.id);
    const refused = [
      [{ vdi, vm: db.id, epoch: 1 }, 'WRONG_STATE'],
      [{ ...claim, epoch: 1 }, 'STALE_EPOCH'],
      [{ ...claim, epoch: 3 }, 'WRONG_STATE'],
      [{ ...claim, readOnly: true }, 'WRONG_STATE'],
      [{ ...claim, vm: randomUUID() }, 'NOT_FOUND'],
      [{ ...claim, vdi: randomUUID() }, 'NOT_FOUND'],
      [{ ...claim, vdi: 'shared' }, 'INVALID_FIELD'],
      [{ ...claim, vm: web.name }, 'INVALID_FIELD'],
      [{ ...claim, epoch: -1 }, 'INVALID_FIELD'],
    ] as const;
    for (const [request, reason] of refused)
      t.is(refusal(await attachments.attach(request, patience)).reason, reason);
    await storeVm(pool, { ...web, epoch: 3 as Epoch });
    value(await attachments.attach({ ...claim, epoch: 3 }, patience));
    value(await attachments.detach(claim, patience));
    const { attachments: left } = value(await attachments.listAttachments({}, patience));
    t.deepEqual(left, [{ vdi, vm: web.id, epoch: 3, readOnly: false, path }]);
    value(await attachments.detach({ ...claim, epoch: 3 }, patience));
    value(await attachments.detach({ ...claim, epoch: 3 }, patience));
    t.is(refusal(await attachments.attach(claim, patience)).reason, 'STALE_EPOCH');
    value(await attachments.attach({ vdi, vm: db.id, epoch: 1, readOnly: true }, patience));
  });
});

test('of many claims at once for one disk, one VM gets it', async (t) => {
  await withStorage(async (service) => {
    const { attachments, pool } = service;
    const vdi = await made(service, 'shared', 512);
    const vms = await Promise.all(Array.from({ length: 8 }, () => storeVm(pool, vmRecord())));
    const answers = await Promise.all(
      vms.map((vm) => attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience)),
    );
    t.is(answers.filter((answer) => answer.ok).length, 1);
    const { attachments: now } = value(await attachments.listAttachments({}, patience));
    const winner = vms[answers.findIndex((answer) => answer.ok)];
    t.deepEqual(
      now.map(({ vm }) => vm),
      [winner?.id],
    );
  });
});

test('a disk whose image was lost is not attached, and the failure says where it was', async (t) => {
  await withStorage(async (service, sr) => {
    const vdi = await made(service, 'lost', 512);
    const vm = await storeVm(service.pool, vmRecord());
    await rm(join(sr, `${vdi}.raw`));
    const answer = await service.attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience);
    t.is(refusal(answer).reason, 'STORAGE');
    t.true(refusal(answer).message.includes(sr));
  });
});

test('lists are paged and filtered', async (t) => {
  await withStorage(async (service) => {
    const { storage } = service;
    const ids = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push(await made(service, name, 512));
    for (const sr of ['', 'local-1']) {
      const seen: string[] = [];
      let pageToken = '';
      do {
        const page = value(await storage.listVdis({ pageSize: 2, pageToken, sr }, patience));
        seen.push(...page.vdis.map((vdi) => vdi.id));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      t.deepEqual(seen, [...ids].sort());
    }
    t.is(refusal(await storage.listVdis({ sr: 'nowhere' }, patience)).reason, 'NOT_FOUND');
    t.is(refusal(await storage.listSrs({ pageToken: 'x' }, patience)).reason, 'INVALID_FIELD');
  });
});

test('a watcher sees a VDI being made, becoming ready, being attached, and going', async (t) => {
  await withStorage(async (service) => {
    const { storage, attachments, pool } = service;
    const events: VdiEvent[] = [];
    const stream = storage.watchVdis({});
    stream.on('error', () => {});
    stream.on('data', (event: VdiEvent) => events.push(event));
    const seen = (what: string) =>
      eventually(`the watcher sees ${what}`, async () => {
        const last = events.at(-1);
        const { state, attachedVm } = last?.vdi ?? { state: '', attachedVm: '' };
        return `${last?.type} ${state} ${attachedVm}`.includes(what) ? true : null;
      });
    await seen('SYNCED');
    const vdi = await made(service, 'watched', 512);
    await seen('UPDATED VDI_STATE_READY');
    const vm = await storeVm(pool, vmRecord());
    value(await attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience));
    await seen(vm.id);
    value(await attachments.detach({ vdi, vm: vm.id, epoch: 1 }, patience));
    await ended(pool, value(await storage.deleteVdi({ vdi }, patience)));
    await seen('DELETED');
    stream.cancel();
    t.deepEqual(
      events.map(({ type, vdi: seenVdi }) => `${type} ${seenVdi?.state ?? ''}`),
      [
        'CHANGE_TYPE_SYNCED ',
        'CHANGE_TYPE_CREATED VDI_STATE_CREATING',
        'CHANGE_TYPE_UPDATED VDI_STATE_READY',
        'CHANGE_TYPE_UPDATED VDI_STATE_READY',
        'CHANGE_TYPE_UPDATED VDI_STATE_READY',
        'CHANGE_TYPE_UPDATED VDI_STATE_DELETING',
        'CHANGE_TYPE_DELETED VDI_STATE_DELETING',
      ],
    );
  });
});

test('any host answers for every SR, and attaches only what is its own', async (t) => {
  await withStorage(async (service, _sr, directory) => {
    const { pool } = service;
    const vdi = await made(service, 'web-xvda', 512);
    const vm = await storeVm(pool, vmRecord());
    await hostIsUp(pool, otherHost);
    const elsewhere = await start(pool, join(directory, 'other'), {
      hostId: otherHost,
      srs: [{ name: 'local-2', path: join(directory, 'other', 'sr') }],
    });
    if (!elsewhere.ok) return t.fail(elsewhere.error.message);
    const connection = connect(elsewhere.value.address, credentials.createInsecure());
    const storage = connection.client(StorageService);
    const { srs } = value(await storage.listSrs({}, patience));
    t.deepEqual(srs.map(({ name }) => name).sort(), ['local-1', 'local-2']);
    const request = { name: 'remote', virtualSize: 512, sr: 'local-1' };
    t.is((await ended(pool, value(await storage.createVdi(request, patience)))).host, thisHost);
    const attachments = connection.client(AttachmentService);
    const refused = refusal(await attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience));
    t.is(refused.reason, 'WRONG_STATE');
    connection.close();
    await elsewhere.value.close();
  });
});

test('a folder that is not the SR of the configuration stops the start, and says what to do', async (t) => {
  await withStorage(async ({ pool }, sr, directory) => {
    const refused = async (changes: Partial<StorageConfiguration>) => {
      const started = await start(pool, directory, changes);
      if (!started.ok) return started.error;
      await started.value.close();
      throw new Error('it started');
    };
    const unmounted = await refused({ srs: [{ name: 'local-1', path: join(directory, 'empty') }] });
    t.like(unmounted, { reason: 'STORAGE', field: 'srs' });
    t.regex(unmounted.remedy, /Mount/);
    t.regex((await refused({ srs: [{ name: 'fast', path: sr }] })).message, /is the SR "local-1"/);
    t.regex((await refused({ hostId: otherHost })).message, /belongs to the host/);
    const used = join(directory, 'used');
    await mkdir(used);
    await writeFile(join(used, 'notes.txt'), '');
    t.regex((await refused({ srs: [{ name: 'new', path: used }] })).message, /holds "notes.txt"/);
    await writeFile(join(sr, 'flotilla-sr.json'), '{"format":');
    t.regex((await refused({})).message, /is damaged/);
  });
});
