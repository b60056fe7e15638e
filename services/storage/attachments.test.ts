import { randomUUID } from 'node:crypto';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import type { Epoch, HostId } from '../../pool/records/identifiers.ts';
import { connect } from '../../proto/client.ts';
import { AttachmentService, StorageService } from '../../proto/gen/flotilla.storage.v1.ts';
import { answerOf, operationEnd, patience, refusalOf } from '../../test/fixtures/calls.ts';
import { canLoop } from '../../test/fixtures/loop-devices.ts';
import { hostIsUp, storeVm, thisHost, vmRecord } from '../../test/fixtures/pool-records.ts';
import { madeVdi, startIn, withStorage } from '../../test/fixtures/storage-service.ts';
import { loopDevices } from './adapters/access/losetup.ts';

const withLoop = (await canLoop()) ? test : test.skip;
const otherHost = '00000000-0000-4000-8000-000000000002' as HostId;

test('a disk is attached for the newest claim of one VM at a time', async (t) => {
  await withStorage(async (service, sr) => {
    const { attachments, pool, storage } = service;
    const vdi = await madeVdi(service, 'shared', 512);
    const web = await storeVm(pool, vmRecord({ epoch: 2 as Epoch }));
    const db = await storeVm(pool, vmRecord());
    const claim = { vdi, vm: web.id, epoch: 2 };
    const path = join(sr, `${vdi}.raw`);
    t.like(answerOf(await attachments.attach(claim, patience)), {
      path,
      epoch: 2,
      readOnly: false,
    });
    t.like(answerOf(await attachments.attach(claim, patience)), { path });
    t.is(answerOf(await storage.getVdi({ vdi }, patience)).attachedVm, web.id);
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
      t.is(refusalOf(await attachments.attach(request, patience)).reason, reason);
    await storeVm(pool, { ...web, epoch: 3 as Epoch });
    answerOf(await attachments.attach({ ...claim, epoch: 3 }, patience));
    answerOf(await attachments.detach(claim, patience));
    const { attachments: left } = answerOf(await attachments.listAttachments({}, patience));
    const place = { path, device: '', backend: 0 };
    t.deepEqual(left, [{ vdi, vm: web.id, epoch: 3, readOnly: false, ...place }]);
    answerOf(await attachments.detach({ ...claim, epoch: 3 }, patience));
    answerOf(await attachments.detach({ ...claim, epoch: 3 }, patience));
    t.is(refusalOf(await attachments.attach(claim, patience)).reason, 'STALE_EPOCH');
    answerOf(await attachments.attach({ vdi, vm: db.id, epoch: 1, readOnly: true }, patience));
  });
});

test("in a guest, the service says that its guest's kernel serves the disks", async (t) => {
  await withStorage(async (service, _sr, directory) => {
    const vdi = await madeVdi(service, 'web-xvda', 512);
    const vm = await storeVm(service.pool, vmRecord());
    await service.close();
    const guest = await startIn(service.pool, directory, {}, 3);
    if (!guest.ok) return t.fail(guest.error.message);
    const connection = connect(guest.value.address, credentials.createInsecure());
    const attachments = connection.client(AttachmentService);
    const attached = answerOf(await attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience));
    t.like(attached, { backend: 3, path: join(directory, 'sr', `${vdi}.raw`) });
    connection.close();
    await guest.value.close();
  });
});

test('of many claims at once for one disk, one VM gets it', async (t) => {
  await withStorage(async (service) => {
    const { attachments, pool } = service;
    const vdi = await madeVdi(service, 'shared', 512);
    const vms = await Promise.all(Array.from({ length: 8 }, () => storeVm(pool, vmRecord())));
    const answers = await Promise.all(
      vms.map((vm) => attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience)),
    );
    t.is(answers.filter((answer) => answer.ok).length, 1);
    const { attachments: now } = answerOf(await attachments.listAttachments({}, patience));
    const winner = vms[answers.findIndex((answer) => answer.ok)];
    t.deepEqual(
      now.map(({ vm }) => vm),
      [winner?.id],
    );
  });
});

test('a disk whose image was lost is not attached, and the failure says where it was', async (t) => {
  await withStorage(async (service, sr) => {
    const vdi = await madeVdi(service, 'lost', 512);
    const vm = await storeVm(service.pool, vmRecord());
    await rm(join(sr, `${vdi}.raw`));
    const answer = await service.attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience);
    t.is(refusalOf(answer).reason, 'STORAGE');
    t.true(refusalOf(answer).message.includes(sr));
  });
});

test('any host answers for every SR, and attaches only what is its own', async (t) => {
  await withStorage(async (service, _sr, directory) => {
    const { pool } = service;
    const vdi = await madeVdi(service, 'web-xvda', 512);
    const vm = await storeVm(pool, vmRecord());
    await hostIsUp(pool, otherHost);
    const elsewhere = await startIn(pool, join(directory, 'other'), {
      hostId: otherHost,
      srs: [{ name: 'local-2', path: join(directory, 'other', 'sr') }],
    });
    if (!elsewhere.ok) return t.fail(elsewhere.error.message);
    const connection = connect(elsewhere.value.address, credentials.createInsecure());
    const storage = connection.client(StorageService);
    const { srs } = answerOf(await storage.listSrs({}, patience));
    t.deepEqual(srs.map(({ name }) => name).sort(), ['local-1', 'local-2']);
    const request = { name: 'remote', virtualSize: 512, sr: 'local-1' };
    t.is(
      (await operationEnd(pool, answerOf(await storage.createVdi(request, patience)))).host,
      thisHost,
    );
    const attachments = connection.client(AttachmentService);
    const refused = refusalOf(await attachments.attach({ vdi, vm: vm.id, epoch: 1 }, patience));
    t.is(refused.reason, 'WRONG_STATE');
    connection.close();
    await elsewhere.value.close();
  });
});

withLoop(
  'on Xen a disk is a block device, which a newer claim gets when the older has let go',
  async (t) => {
    await withStorage(
      async (service, sr) => {
        const { attachments, pool } = service;
        const vdi = await madeVdi(service, 'web-xvda', 2 ** 20);
        const vm = await storeVm(pool, vmRecord());
        const claim = { vdi, vm: vm.id, epoch: 1 };
        const { path, device } = answerOf(await attachments.attach(claim, patience));
        t.regex(path, /^\/dev\/loop\d+$/);
        t.is(device, `7:${path.replace('/dev/loop', '')}`);
        t.is(answerOf(await attachments.attach(claim, patience)).path, path);
        const backend = await open(path, 'r+');
        await backend.write('a boot sector');
        await backend.sync();
        await storeVm(pool, { ...vm, epoch: 2 as Epoch });
        const newer = attachments.attach({ ...claim, epoch: 2, readOnly: true }, patience);
        // The older claim's backend lets go while the newer claim waits for it.
        await backend.close();
        t.regex(answerOf(await newer).path, /^\/dev\/loop\d+$/);
        t.is((await readFile(join(sr, `${vdi}.raw`))).subarray(0, 13).toString(), 'a boot sector');
        answerOf(await attachments.detach({ ...claim, epoch: 2 }, patience));
        const left = await loopDevices(join(sr, `${vdi}.raw`));
        t.deepEqual(left, { ok: true, value: [] });
      },
      { attach: 'loop' },
    );
  },
);
