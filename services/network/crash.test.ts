import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../pool/clock.ts';
import { openPool } from '../../pool/pool.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { quiet } from '../../test/fixtures/calls.ts';
import { firstNetwork, firstNetworkId, plugOf } from '../../test/fixtures/network-service.ts';
import { storeVm, vmRecord } from '../../test/fixtures/pool-records.ts';
import type { BridgeDriver } from './adapters/bridge/bridge-driver.ts';
import { simulatedBridges } from './adapters/bridge/simulated.ts';
import { makeFirstNetworks } from './adapters/first-networks.ts';
import { openPlugJournal, type PlugJournal } from './adapters/plug-journal.ts';
import { forgetVanished, vifsOf } from './adapters/vifs.ts';

/** A process that can be killed: from effect number `at` on nothing comes back. */
function mortal(at: number, when: 'before' | 'after') {
  const death = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  let effects = 0;
  let isDead = false;
  const effect = async <Value>(act: () => Promise<Value>): Promise<Value> => {
    effects += 1;
    isDead ||= effects === at && when === 'before';
    if (!isDead) {
      const value = await act();
      isDead ||= effects >= at;
      if (!isDead) return value;
    }
    death.resolve();
    return never;
  };
  return { effect, dead: death.promise, isDead: () => isDead };
}

type Effect = ReturnType<typeof mortal>['effect'];

function mortalDriver(driver: BridgeDriver, effect: Effect): BridgeDriver {
  return {
    present: (name) => driver.present(name),
    ensure: (bridge) => effect(() => driver.ensure(bridge)),
    join: (name, bridge) => effect(() => driver.join(name, bridge)),
    leave: (name) => effect(() => driver.leave(name)),
    joined: () => effect(() => driver.joined()),
  };
}

function mortalJournal(journal: PlugJournal, effect: Effect): PlugJournal {
  return {
    get plugs() {
      return journal.plugs;
    },
    write: (plug) => effect(() => journal.write(plug)),
    forget: (slot) => effect(() => journal.forget(slot)),
  };
}

async function opened(dataDir: string) {
  const driver = await simulatedBridges(join(dataDir, 'bridges.json'));
  const journal = await openPlugJournal(join(dataDir, 'vifs'));
  if (!driver.ok || !journal.ok) throw new Error('the state of the host is damaged');
  return { driver: driver.value, journal: journal.value };
}

for (const when of ['before', 'after'] as const)
  test(`plugging anew and unplugging are finished when asked again, killed right ${when} any effect`, async (t) => {
    let kills = 0;
    for (let at = 1; ; at += 1) {
      const dataDir = await mkdtemp(join(tmpdir(), 'network-crash-'));
      const database = simulatedDatabase();
      const pool = openPool(database);
      const { signal } = new AbortController();
      await makeFirstNetworks({ pool, clock: systemClock, log: quiet, signal }, [firstNetwork]);
      const network = await firstNetworkId(pool);
      const vm = await storeVm(pool, vmRecord());
      const first = plugOf(vm, network, 1);
      const second = plugOf(vm, network, 2);

      const { effect, dead, isDead } = mortal(at, when);
      const host = await opened(dataDir);
      const driver = mortalDriver(host.driver, effect);
      const doomed = vifsOf({
        ...{ pool, driver, clock: systemClock },
        journal: mortalJournal(host.journal, effect),
      });
      const life = async () => {
        await doomed.plug(first);
        await doomed.plug(second);
        await doomed.unplug(vm.id, vm.epoch, 0);
      };
      await Promise.race([dead, life()]);

      const next = await opened(dataDir);
      t.true((await forgetVanished(next)).ok);
      const vifs = vifsOf({ pool, clock: systemClock, ...next });
      t.true((await vifs.plug(second)).ok);
      const plugged = await vifs.list();
      t.deepEqual(plugged.ok ? plugged.value.map((plug) => plug.interface) : [], ['vif2.0']);
      t.true((await vifs.unplug(vm.id, vm.epoch, 0)).ok);
      t.deepEqual(next.journal.plugs, []);
      const joined = await next.driver.joined();
      t.deepEqual(joined, { ok: true, value: [] });

      database.close();
      await rm(dataDir, { recursive: true });
      if (!isDead()) break;
      kills += 1;
    }
    t.true(kills >= 8, `${kills} kills`);
  });
