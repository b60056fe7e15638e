import test from 'ava';
import type { VmId } from '../../pool/records/identifiers.ts';
import { ask, carryOut, create, nth, type PlainVerb } from './actions.ts';
import { fresh, halted, type Inventory, nothing, running, takeStock } from './inventory.ts';
import { Life } from './mortal.ts';
import { endOf, granted, makeWorld, someCall, vmRequest, type World } from './world.ts';

/**
 * kill -9 at every call that the service makes to the pool database, the hypervisor, storage or the
 * network: before the call has its effect, or after it but before its answer. A new service on the
 * same host must bring the operation to the same end, once, and leave nothing behind.
 */

interface Verb {
  readonly name: string;
  /** What is done before, by a service that lives. */
  readonly before: readonly PlainVerb[];
  readonly ask: PlainVerb | 'createVm';
  readonly expected: Inventory;
  /** The guest cannot be let run: the operation is to be undone. */
  readonly fails?: true;
}

const unpauseFails = {
  effect: { kind: 'call-fails', call: 'unpause', code: 'hypervisor-failed' },
  uuid: null,
  times: 1000,
} as const;

const verbs: readonly Verb[] = [
  { name: 'create', before: [], ask: 'createVm', expected: fresh },
  { name: 'start', before: [], ask: 'startVm', expected: running },
  { name: 'failing start', before: [], ask: 'startVm', expected: halted, fails: true },
  { name: 'shutdown', before: ['startVm'], ask: 'shutdownVm', expected: halted },
  { name: 'reboot', before: ['startVm'], ask: 'rebootVm', expected: running },
  { name: 'destroy', before: ['startVm'], ask: 'destroyVm', expected: halted },
  { name: 'delete', before: [], ask: 'deleteVm', expected: nothing },
];

/**
 * Records the operation while no service of its host lives, then lets a service live up to its
 * `deathAt`-th call, and then one that lives on. Returns the number of calls of the first.
 */
async function dieAt(world: World, verb: Verb, deathAt: number, effect: 'before' | 'after') {
  const host = nth(world.hosts, 0);
  const first = host.start();
  let vm: VmId | null = null;
  if (verb.ask !== 'createVm') vm = await create(world, first, 'web');
  for (const each of verb.before) await carryOut(world, first, each, 'web');
  await first.lifecycle.close();
  const asked =
    verb.ask === 'createVm'
      ? await first.lifecycle.handlers.createVm?.(vmRequest('web'), someCall)
      : await ask(first, verb.ask, 'web');
  const { id } = granted(asked);
  if (verb.fails) await host.hypervisor.inject(unpauseFails);
  const life = new Life(deathAt, effect);
  host.start(life);
  const ended = endOf(world.pool, id);
  await Promise.race([life.died, ended]);
  life.kill();
  host.start();
  const record = await ended;
  return { record, vm: vm ?? (record.resource.id as VmId), survived: life.calls < deathAt };
}

for (const verb of verbs)
  for (const effect of ['before', 'after'] as const)
    test(`${verb.name} ends once and as it should, whichever call kills the service ${effect} its effect`, async (t) => {
      let deaths = 0;
      for (let deathAt = 1; ; deathAt += 1) {
        const world = await makeWorld(1);
        const { record, vm, survived } = await dieAt(world, verb, deathAt, effect);
        const note = `death at call ${deathAt}`;
        const state = verb.fails ? 'failed' : 'succeeded';
        t.is(record.state, state, `${note}: ${record.failure?.message}`);
        t.deepEqual(await takeStock(world, vm), verb.expected, note);
        await world.close();
        if (survived) break;
        deaths += 1;
      }
      t.true(deaths > 5);
    });
