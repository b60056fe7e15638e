import test from 'ava';
import type { VmId } from '../../pool/records/identifiers.ts';
import { ask, carryOut, create, nth, type PlainVerb } from './actions.ts';
import { fresh, halted, type Inventory, nothing, running, takeStock } from './inventory.ts';
import { endOf, granted, makeWorld, someCall, until, vmRequest } from './world.ts';

/** An operation that is cancelled before it begins must leave the VM exactly as it was. */

const verbs: readonly {
  readonly verb: PlainVerb | 'createVm';
  readonly before: readonly PlainVerb[];
  readonly expected: Inventory;
}[] = [
  { verb: 'createVm', before: [], expected: nothing },
  { verb: 'startVm', before: [], expected: { ...fresh, reported: 'halted' } },
  { verb: 'startVm', before: ['startVm', 'destroyVm'], expected: halted },
  { verb: 'shutdownVm', before: ['startVm'], expected: running },
  { verb: 'rebootVm', before: ['startVm'], expected: running },
  { verb: 'destroyVm', before: ['startVm'], expected: running },
  { verb: 'deleteVm', before: [], expected: fresh },
];

for (const { verb, before, expected } of verbs)
  test(`${verb} after ${before.join(', ') || 'nothing'}, cancelled before it begins, changes nothing`, async (t) => {
    const world = await makeWorld(1);
    t.teardown(() => world.close());
    const host = nth(world.hosts, 0);
    const first = host.start();
    let vm: VmId | null = verb === 'createVm' ? null : await create(world, first, 'web');
    for (const each of before) await carryOut(world, first, each, 'web');
    await first.lifecycle.close();
    const asked =
      verb === 'createVm'
        ? await first.lifecycle.handlers.createVm?.(vmRequest('web'), someCall)
        : await ask(first, verb, 'web');
    const { id } = granted(asked);
    const stored = granted(await world.pool.operationsOf('vm-lifecycle').get(id ?? ''));
    if (stored === null) throw new Error('the operation was not recorded');
    vm ??= stored.record.resource.id as VmId;
    const cancelled = { ...stored.record, cancelRequested: true };
    await world.pool.database.transact(
      world.pool.operationsOf('vm-lifecycle').replacing(stored, cancelled),
    );
    const second = host.start();
    t.is((await endOf(world.pool, id)).state, 'cancelled');
    await second.lifecycle.settled;
    t.deepEqual(await takeStock(world, vm), expected);
    if (expected !== nothing) {
      await until(async () => second.consoles.find(vm) !== null || expected !== running);
      await carryOut(world, second, expected === running ? 'shutdownVm' : 'startVm', 'web');
      t.deepEqual(await takeStock(world, vm), expected === running ? halted : running);
    }
  });
