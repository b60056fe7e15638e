import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ok } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { type Clock, systemClock } from '../../pool/clock.ts';
import { openPool } from '../../pool/pool.ts';
import type { Epoch } from '../../pool/records/identifiers.ts';
import { serviceCallDeadline } from '../../pool/rpc/deadline.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { answerOf, patience, refusalOf } from '../../test/fixtures/calls.ts';
import {
  firstNetworkId,
  plugOf,
  runningNetwork,
  withNetwork,
} from '../../test/fixtures/network-service.ts';
import { storeVm, vmRecord } from '../../test/fixtures/pool-records.ts';
import type { BridgeDriver } from './adapters/bridge/bridge-driver.ts';
import { simulatedBridges } from './adapters/bridge/simulated.ts';
import { openPlugJournal } from './adapters/plug-journal.ts';
import { vifsOf } from './adapters/vifs.ts';

const mac = '00:16:3e:00:00:01';

test('an interface is plugged into the network for the newest claim, and unplugged', async (t) => {
  await withNetwork(async ({ vifs, driver, pool }, network) => {
    const vm = await storeVm(pool, vmRecord({ epoch: 2 as Epoch }));
    const prepared = answerOf(await vifs.prepareNetwork({ network }, patience));
    t.deepEqual(prepared, { bridge: 'xenbr0', backend: 0 });
    const plug = plugOf(vm, network, 3);
    const vif = answerOf(await vifs.plug({ ...plug, mac: mac.toUpperCase() }, patience));
    t.deepEqual({ ...vif }, { ...vif, ...plug, bridge: 'xenbr0' });
    t.deepEqual(answerOf(await vifs.plug(plug, patience)), vif);
    t.deepEqual(answerOf(await vifs.listVifs({}, patience)).vifs, [vif]);
    t.deepEqual(await driver.joined(), {
      ok: true,
      value: [{ interface: 'vif3.0', bridge: 'xenbr0' }],
    });
    const stale = refusalOf(await vifs.plug({ ...plug, epoch: 1 }, patience));
    t.like(stale, { reason: 'STALE_EPOCH', field: 'epoch' });
    answerOf(await vifs.unplug({ vm: vm.id, epoch: 1, index: 0 }, patience));
    t.is(answerOf(await vifs.listVifs({}, patience)).vifs.length, 1);
    answerOf(await vifs.unplug({ vm: vm.id, epoch: 2, index: 0 }, patience));
    answerOf(await vifs.unplug({ vm: vm.id, epoch: 2, index: 0 }, patience));
    t.deepEqual(await driver.joined(), { ok: true, value: [] });
    t.is(refusalOf(await vifs.plug({ ...plug, epoch: 1 }, patience)).reason, 'STALE_EPOCH');
  });
});

test("in a guest, the service says that its guest's kernel has the bridge and the interface", async (t) => {
  await withNetwork(
    async ({ vifs, pool }, network) => {
      const vm = await storeVm(pool, vmRecord());
      t.is(answerOf(await vifs.prepareNetwork({ network }, patience)).backend, 4);
      t.is(answerOf(await vifs.plug(plugOf(vm, network, 9), patience)).backend, 4);
      t.is(answerOf(await vifs.listVifs({}, patience)).vifs[0]?.backend, 4);
    },
    undefined,
    4,
  );
});

/** The plugs of a host whose backend makes an interface only after so many looks. */
async function slowBackend(directory: string, looks: number) {
  const driver = await simulatedBridges(join(directory, 'bridges.json'));
  const journal = await openPlugJournal(join(directory, 'vifs'));
  if (!driver.ok || !journal.ok) throw new Error('the folder is new');
  const order: string[] = [];
  let left = looks;
  const slow: BridgeDriver = {
    ...driver.value,
    present: async () => {
      order.push('look');
      left -= 1;
      return ok(left < 0);
    },
    join: (name, bridge) => {
      order.push('join');
      return driver.value.join(name, bridge);
    },
  };
  let time = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => milliseconds(time),
    sleep: async (span) => {
      const end = time + span;
      await new Promise((resolve) => setImmediate(resolve));
      time = Math.max(time, end);
    },
  };
  return { order, settings: { driver: slow, journal: journal.value, clock } };
}

test("a plug waits for its backend's interface, for seconds at most, and a stale one not at all", async (t) => {
  await withNetwork(async ({ pool }, network, dataDir) => {
    const vm = await storeVm(pool, vmRecord({ epoch: 2 as Epoch }));
    const plug = plugOf(vm, network, 3);
    const soon = await slowBackend(join(dataDir, 'soon'), 3);
    t.true((await vifsOf({ pool, ...soon.settings }).plug(plug)).ok);
    t.deepEqual(soon.order, ['look', 'look', 'look', 'look', 'join']);
    const stale = await slowBackend(join(dataDir, 'stale'), 0);
    const refused = await vifsOf({ pool, ...stale.settings }).plug({ ...plug, epoch: 1 as Epoch });
    t.like(refused, { ok: false, error: { reason: 'STALE_EPOCH' } });
    t.deepEqual(stale.order, []);
    const never = await slowBackend(join(dataDir, 'never'), Number.POSITIVE_INFINITY);
    const failed = await vifsOf({ pool, ...never.settings }).plug(plug);
    t.like(failed, { ok: false, error: { reason: 'NETWORK' } });
    t.regex(failed.ok ? '' : failed.error.message, /vif3\.0 within 20 s of the call/);
    t.deepEqual(never.settings.journal.plugs, []);
  });
});

test('a plug whose interface never comes says so to its caller, however slow the database is', async (t) => {
  await withNetwork(async ({ pool }, network, dataDir) => {
    const vm = await storeVm(pool, vmRecord());
    const never = await slowBackend(join(dataDir, 'never'), Number.POSITIVE_INFINITY);
    const { clock } = never.settings;
    const { database } = pool;
    // Each of its calls takes nearly as long as it tries before it gives up.
    const slow = openPool({
      ...database,
      get: async (key) => {
        await clock.sleep(milliseconds(7_900));
        return database.get(key);
      },
    });
    const failed = await vifsOf({ pool: slow, ...never.settings }).plug(plugOf(vm, network, 3));
    t.like(failed, { ok: false, error: { reason: 'NETWORK' } });
    t.true(clock.now() < serviceCallDeadline, `after ${clock.now()} ms`);
    t.true(never.order.length > 30, 'most of the time was left to the interface');
  });
});

test('a plug that does not make sense is refused with the field', async (t) => {
  await withNetwork(async ({ vifs, driver, pool }, network) => {
    const vm = await storeVm(pool, vmRecord());
    const plug = plugOf(vm, network, 3);
    const refused = [
      [{ ...plug, network: 'default' }, 'INVALID_FIELD', 'network'],
      [{ ...plug, network: randomUUID() }, 'NOT_FOUND', 'network'],
      [{ ...plug, vm: vm.name }, 'INVALID_FIELD', 'vm'],
      [{ ...plug, vm: randomUUID() }, 'NOT_FOUND', 'vm'],
      [{ ...plug, epoch: -1 }, 'INVALID_FIELD', 'epoch'],
      [{ ...plug, index: 8 }, 'INVALID_FIELD', 'index'],
      [{ ...plug, index: 1 }, 'INVALID_FIELD', 'interface'],
      [{ ...plug, mac: 'aa:bb' }, 'INVALID_FIELD', 'mac'],
      [{ ...plug, interface: 'eth0' }, 'INVALID_FIELD', 'interface'],
      [{ ...plug, interface: 'vif3.0; reboot' }, 'INVALID_FIELD', 'interface'],
    ] as const;
    for (const [request, reason, field] of refused)
      t.like(refusalOf(await vifs.plug(request, patience)), { reason, field });
    t.deepEqual(await driver.joined(), { ok: true, value: [] });
  });
});

test('a late unplug of a VM leaves the interface alone whose name came again', async (t) => {
  await withNetwork(async ({ vifs, pool }, network) => {
    const old = await storeVm(pool, vmRecord());
    const young = await storeVm(pool, vmRecord());
    answerOf(await vifs.plug(plugOf(old, network, 3), patience));
    answerOf(await vifs.plug(plugOf(young, network, 3), patience));
    answerOf(await vifs.unplug({ vm: old.id, epoch: 1, index: 0 }, patience));
    const { vifs: left } = answerOf(await vifs.listVifs({}, patience));
    t.deepEqual(
      left.map(({ vm }) => vm),
      [young.id],
    );
  });
});

test('a restart of the service loses no plug, and forgets those whose interface is gone', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'network-'));
  const database = simulatedDatabase();
  const service = await runningNetwork(database, dataDir);
  const network = await firstNetworkId(service.pool);
  const web = await storeVm(service.pool, vmRecord());
  const db = await storeVm(service.pool, vmRecord());
  answerOf(await service.vifs.plug(plugOf(web, network, 3), patience));
  answerOf(await service.vifs.plug(plugOf(db, network, 4), patience));
  await service.close();
  await service.driver.leave('vif4.0');
  const next = await runningNetwork(database, dataDir);
  const { vifs } = answerOf(await next.vifs.listVifs({}, patience));
  t.deepEqual(
    vifs.map(({ vm }) => vm),
    [web.id],
  );
  t.deepEqual(await readdir(join(dataDir, 'vifs')), [`${web.id}-0.json`]);
  answerOf(await next.vifs.unplug({ vm: web.id, epoch: 1, index: 0 }, patience));
  answerOf(await next.vifs.unplug({ vm: db.id, epoch: 1, index: 0 }, patience));
  t.deepEqual(await next.driver.joined(), { ok: true, value: [] });
  await next.close();
  database.close();
  await rm(dataDir, { recursive: true });
});

test('a damaged record of a plug stops the start, and says what to do', async (t) => {
  await withNetwork(async ({ pool }, _network, dataDir) => {
    const name = `${randomUUID()}-0.json`;
    await writeFile(join(dataDir, 'vifs', name), '{"vm":');
    const error = await t.throwsAsync(runningNetwork(pool.database, dataDir));
    t.true(error?.message.includes(name));
  });
});

test('many plugs at once are all plugged', async (t) => {
  await withNetwork(async ({ vifs, pool }, network) => {
    const vm = await storeVm(pool, vmRecord());
    const vms = await Promise.all(
      Array.from({ length: 20 }, () => storeVm(pool, { ...vm, ...vmRecord() })),
    );
    const plugs = vms.flatMap((one, domain) =>
      Array.from({ length: 8 }, (_, index) => plugOf(one, network, domain, index)),
    );
    await Promise.all(plugs.map(async (plug) => answerOf(await vifs.plug(plug, patience))));
    t.is(answerOf(await vifs.listVifs({}, patience)).vifs.length, 160);
  });
});
