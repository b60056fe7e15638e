import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { PoolDatabase } from '../../pool/database.ts';
import { openPool } from '../../pool/pool.ts';
import type { VmRecord } from '../../pool/records/vm.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import type { VdiEvent } from '../../proto/gen/flotilla.storage.v1.ts';
import { answerOf, operationEnd, patience, refusalOf } from '../../test/fixtures/calls.ts';
import {
  eventually,
  storeVm,
  thisHost,
  vmPuts,
  vmRecord,
} from '../../test/fixtures/pool-records.ts';
import {
  imagesIn,
  madeVdi,
  runningStorage,
  withStorage,
} from '../../test/fixtures/storage-service.ts';

const gibibyte = 2 ** 30;

test('a VDI is made, found by name and id, renamed, and deleted with its image', async (t) => {
  await withStorage(async (service, sr) => {
    const { storage, pool } = service;
    const id = await madeVdi(service, 'web-xvda', gibibyte - 100);
    t.deepEqual(await imagesIn(sr), [`${id}.raw`]);
    t.is((await stat(join(sr, `${id}.raw`))).size, gibibyte);
    const vdi = answerOf(await storage.getVdi({ vdi: 'web-xvda' }, patience));
    t.like(vdi, { id, virtualSize: gibibyte, state: 'VDI_STATE_READY', attachedVm: '' });
    t.is(answerOf(await storage.getSr({ sr: 'local-1' }, patience)).virtualAllocated, gibibyte);
    t.like(answerOf(await storage.updateVdi({ vdi: id, name: 'db-xvda' }, patience)), {
      name: 'db-xvda',
    });
    t.is(refusalOf(await storage.getVdi({ vdi: 'web-xvda' }, patience)).reason, 'NOT_FOUND');
    const deletion = answerOf(await storage.deleteVdi({ vdi: 'db-xvda' }, patience));
    t.is((await operationEnd(pool, deletion)).state, 'succeeded');
    t.is(refusalOf(await storage.getVdi({ vdi: id }, patience)).reason, 'NOT_FOUND');
    t.deepEqual(await imagesIn(sr), []);
    await madeVdi(service, 'db-xvda', gibibyte);
  });
});

test('a request that is repeated is one request, and its id is that of the VDI', async (t) => {
  await withStorage(async ({ storage, pool }, sr) => {
    const request = { name: 'once', virtualSize: 512, requestId: randomUUID() };
    const first = answerOf(await storage.createVdi(request, patience));
    const again = answerOf(await storage.createVdi(request, patience));
    t.is(first.id, again.id);
    t.is(first.resourceId, request.requestId);
    await operationEnd(pool, first);
    t.is(answerOf(await storage.createVdi(request, patience)).id, first.id);
    t.deepEqual(await imagesIn(sr), [`${request.requestId}.raw`]);
    const deletion = { vdi: 'once', requestId: randomUUID() };
    const gone = answerOf(await storage.deleteVdi(deletion, patience));
    await operationEnd(pool, gone);
    t.is(answerOf(await storage.deleteVdi(deletion, patience)).id, gone.id);
  });
});

test('what cannot be is refused with the field and what to do, and nothing changes', async (t) => {
  await withStorage(async (service, sr) => {
    const { storage } = service;
    await madeVdi(service, 'taken', 512);
    const before = answerOf(await storage.listVdis({}, patience));
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
      const failure = refusalOf(await storage.createVdi(request, patience));
      t.is(failure.reason, reason, failure.message);
      t.is(failure.field, field, failure.message);
      t.not(failure.remedy, '', failure.message);
    }
    t.is(refusalOf(await storage.deleteVdi({ vdi: 'nothing' }, patience)).reason, 'NOT_FOUND');
    t.deepEqual(answerOf(await storage.listVdis({}, patience)), before);
    t.is((await imagesIn(sr)).length, 1);
  });
});

test('validating changes nothing', async (t) => {
  await withStorage(async (service, sr) => {
    const { storage } = service;
    const dry = { validateOnly: true } as const;
    const id = await madeVdi(service, 'kept', 512);
    answerOf(await storage.createVdi({ name: 'dry', virtualSize: 512, ...dry }, patience));
    answerOf(await storage.updateVdi({ vdi: 'kept', name: 'dry', ...dry }, patience));
    answerOf(await storage.deleteVdi({ vdi: 'kept', ...dry }, patience));
    const taken = { name: 'kept', virtualSize: 512, ...dry };
    t.is(refusalOf(await storage.createVdi(taken, patience)).reason, 'NAME_TAKEN');
    const { vdis } = answerOf(await storage.listVdis({}, patience));
    t.deepEqual(
      vdis.map((vdi) => [vdi.name, vdi.state]),
      [['kept', 'VDI_STATE_READY']],
    );
    t.deepEqual(await imagesIn(sr), [`${id}.raw`]);
  });
});

test('a VDI goes only to an SR of a host that is up', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'storage-'));
  const database = simulatedDatabase();
  const service = await runningStorage(database, directory);
  const { storage, pool } = service;
  await database.transact({ comparisons: [], writes: [pool.hostLeases.remove(thisHost)] });
  const request = { name: 'new', virtualSize: 512 };
  const named = refusalOf(await storage.createVdi({ ...request, sr: 'local-1' }, patience));
  t.like(named, { reason: 'HOST_UNREACHABLE', field: 'sr' });
  t.is(refusalOf(await storage.createVdi(request, patience)).reason, 'NO_SPACE');
  await service.close();
  database.close();
  await rm(directory, { recursive: true });
});

test('a VDI that a VM names or has attached is not deleted', async (t) => {
  await withStorage(async (service, sr) => {
    const { storage, attachments, pool } = service;
    const vdi = await madeVdi(service, 'web-xvda', 512);
    const vm = await storeVm(pool, vmRecord({ disks: [] }));
    const claim = { vdi, vm: vm.id, epoch: 1 };
    answerOf(await attachments.attach(claim, patience));
    const attached = refusalOf(await storage.deleteVdi({ vdi }, patience));
    t.is(attached.reason, 'WRONG_STATE');
    answerOf(await attachments.detach(claim, patience));
    const disk = { vdi, vdev: 'xvda', readOnly: false, owned: true };
    await storeVm(pool, { ...vm, disks: [disk] });
    const named = refusalOf(await storage.deleteVdi({ vdi }, patience));
    t.like(named, {
      reason: 'WRONG_STATE',
      message: `the disk "web-xvda" is a disk of the VM "${vm.name}"`,
    });
    await storeVm(pool, vm);
    await operationEnd(pool, answerOf(await storage.deleteVdi({ vdi }, patience)));
    t.deepEqual(await imagesIn(sr), []);
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
      const taken = marks && vm !== null ? vmPuts(openPool(database), vm) : [];
      return database.transact({ comparisons, writes: [...writes, ...taken] });
    },
  };
  const service = await runningStorage(racing, directory);
  const vdi = await madeVdi(service, 'web-xvda', 512);
  vm = vmRecord({ disks: [{ vdi, vdev: 'xvda', readOnly: false, owned: false }] });
  const deletion = answerOf(await service.storage.deleteVdi({ vdi }, patience));
  t.like(await operationEnd(service.pool, deletion), {
    state: 'failed',
    failure: { reason: 'WRONG_STATE' },
  });
  t.is(answerOf(await service.storage.getVdi({ vdi }, patience)).state, 'VDI_STATE_READY');
  t.deepEqual(await imagesIn(join(directory, 'sr')), [`${vdi}.raw`]);
  await service.close();
  database.close();
  await rm(directory, { recursive: true });
});

test('lists are paged and filtered', async (t) => {
  await withStorage(async (service) => {
    const { storage } = service;
    const ids = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push(await madeVdi(service, name, 512));
    for (const sr of ['', 'local-1']) {
      const seen: string[] = [];
      let pageToken = '';
      do {
        const page = answerOf(await storage.listVdis({ pageSize: 2, pageToken, sr }, patience));
        seen.push(...page.vdis.map((vdi) => vdi.id));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      t.deepEqual(seen, [...ids].sort());
    }
    t.is(refusalOf(await storage.listVdis({ sr: 'nowhere' }, patience)).reason, 'NOT_FOUND');
    t.is(refusalOf(await storage.listSrs({ pageToken: 'x' }, patience)).reason, 'INVALID_FIELD');
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
    const vdi = await madeVdi(service, 'watched', 512);
    await seen('UPDATED VDI_STATE_READY');
    const vm = await storeVm(pool, vmRecord());
    answerOf(await attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience));
    await seen(vm.id);
    answerOf(await attachments.detach({ vdi, vm: vm.id, epoch: 1 }, patience));
    await operationEnd(pool, answerOf(await storage.deleteVdi({ vdi }, patience)));
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
