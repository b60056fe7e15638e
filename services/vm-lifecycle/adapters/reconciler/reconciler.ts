import { present } from '../../../../base/assert.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { Domain, DomainId } from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { mirror } from '../../../../pool/mirror.ts';
import type { VmId } from '../../../../pool/records/identifiers.ts';
import { Pacing } from '../../core/pacing.ts';
import { type Action, settleVms, strayDomains } from '../../core/reconciliation.ts';
import type { Environment } from '../environment.ts';
import { hypervisorFailure } from '../failures.ts';
import { type ClaimedVm, ClaimedVms } from './claimed-vms.ts';
import { cutOffVms, devicesInUse } from './devices.ts';
import { settle } from './settle.ts';
import { destroyStrays, releaseStrayDevices } from './strays.ts';

/** Several events close together are looked at once. */
const gather = milliseconds(50);
/** This often everything is compared in any case, should an event have been lost. */
const lookEvery = milliseconds(30_000);
/** Devices are left behind by crashes and failures alone, after which it is looked at once. */
const sweepEvery = milliseconds(300_000);
/** A service that does not answer is asked again so soon, and then half as often each time. */
const sweepRetry = 1_000;

/** A reconciler at work. */
export interface Reconciler {
  /** Resolves when the first comparison is over. */
  readonly settled: Promise<void>;
  /** Looks soon for devices that nobody uses: an operation failed, and may have left some. */
  sweepSoon(): void;
  /** Stops, once what it is doing is done. */
  close(): Promise<void>;
}

/**
 * Keeps comparing what runs on this host with what the pool wants of it, at the start, whenever a
 * domain or a record changes, and from time to time; and records what is to be done about it.
 */
export function startReconciler(environment: Environment): Reconciler {
  const { pool, host, hypervisor, clock, log } = environment;
  const closing = new AbortController();
  const { signal } = closing;
  const claimed = new ClaimedVms(pool, host.id);
  const pacing = new Pacing();
  let wake = new AbortController();
  let lastSweep = clock.now();
  let isSweepDue = true;
  let retry = sweepRetry;
  /** Domains of which something was heard since they were listed. */
  let stirred = new Set<DomainId>();
  let vmDomains = new Set<DomainId>();
  let settled = () => {};
  const firstPass = new Promise<void>((resolve) => {
    settled = resolve;
  });
  const copy = mirror(pool.database, [pool.vms.prefix, pool.vmStatuses.prefix], {
    signal,
    clock,
    onBatch: ({ changes }) => {
      if (claimed.take(changes)) wake.abort();
    },
    onFailure: (failure) => log.warn({ failure }, 'VMs cannot be read'),
  });
  const stopWatching = hypervisor.watch((id) => {
    stirred.add(id);
    wake.abort();
  });

  /** Does what VMs need; returns how soon one that must wait is to be looked at again. */
  const settleAll = async (
    vms: readonly ClaimedVm[],
    actions: readonly Action[],
  ): Promise<number> => {
    const storedOf = new Map(vms.map(({ stored }) => [stored.record.id as string, stored]));
    let soonest: number = lookEvery;
    for (const action of actions) {
      const wait = pacing.waitFor(action.vm, clock.now());
      if (wait > 0) {
        soonest = Math.min(soonest, wait);
        continue;
      }
      const stored = present(storedOf.get(action.vm), 'an action is about a VM of the comparison');
      const done = await settle(environment, stored, action);
      // A conflict means that the VM moved meanwhile: the next comparison sees how.
      if (done.ok) pacing.note(action.vm, clock.now());
      else if (done.error.reason !== 'CONFLICT')
        complain(done.error, `vm ${stored.record.name} cannot be settled`);
    }
    return soonest;
  };

  const followConsoles = async (domains: readonly Domain[]): Promise<void> => {
    const live = domains.filter(({ state }) => state.kind === 'running' || state.kind === 'paused');
    for (const domain of live)
      if (claimed.has(domain.uuid))
        await environment.consoles.follow(domain.uuid as string as VmId, domain.id);
  };

  /** Looks at devices that nobody uses, and at those that nobody serves; returns as `settleAll`. */
  const sweep = async (vms: readonly ClaimedVm[], domains: readonly Domain[]): Promise<number> => {
    if (!isSweepDue && clock.now() - lastSweep < sweepEvery) return lookEvery;
    isSweepDue = false;
    lastSweep = clock.now();
    // Both services have to answer before their domains' guests are reconnected.
    const inUse = await devicesInUse(environment);
    const released = inUse.ok ? await releaseStrayDevices(environment, inUse.value) : inUse;
    const cut = released.ok ? await cutOffVms(environment, vms, domains) : released;
    if (cut.ok) {
      retry = sweepRetry;
      // Until all have their devices again it is looked at once more: an attempt may fail.
      isSweepDue = cut.value.length > 0;
      const actions = cut.value.map((one): Action => ({ kind: 'reconnect', ...one }));
      return settleAll(vms, actions);
    }
    isSweepDue = true;
    complain(cut.error, 'devices cannot be swept');
    const wait = retry;
    retry = Math.min(lookEvery, 2 * retry);
    return wait;
  };

  const complain = (failure: Failure, message: string): void => {
    if (!signal.aborted) log.warn({ failure }, message);
  };

  const pass = async (): Promise<number> => {
    // Before the domains: what has not changed since, when it is settled, had no operation then.
    const before = claimed.snapshot();
    const heard = stirred;
    stirred = new Set();
    const domains = await hypervisor.listDomains();
    if (!domains.ok) {
      for (const id of heard) stirred.add(id);
      complain(hypervisorFailure(host.name, domains.error), 'domains cannot be listed');
      return 1_000;
    }
    await followConsoles(domains.value);
    const earlier = vmDomains;
    vmDomains = new Set(domains.value.flatMap(({ id, uuid }) => (claimed.has(uuid) ? [id] : [])));
    // What is no VM's may have been a driver domain: what it served is to be looked at.
    if ([...heard].some((id) => !earlier.has(id) && !vmDomains.has(id))) isSweepDue = true;
    const compared = before.map((vm) => vm.compared);
    const soonest = await settleAll(before, settleVms(host.id, compared, domains.value));
    const own = ({ uuid }: { uuid: string }) =>
      environment.journal.has(uuid) || copy.entries.has(pool.vms.key(uuid));
    const after = claimed.snapshot().map((vm) => vm.compared);
    const suspects = strayDomains(host.id, after, domains.value, own).map(({ id }) => id);
    const cleared = await destroyStrays(
      environment,
      domains.value.filter(({ id }) => suspects.some((suspect) => suspect === id)),
    );
    if (cleared.ok) return Math.min(soonest, await sweep(before, domains.value));
    complain(cleared.error, 'stray domains cannot be cleared');
    return soonest;
  };

  const run = async (): Promise<void> => {
    await Promise.race([copy.synced, aborted(signal)]);
    while (!signal.aborted) {
      wake = new AbortController();
      const pause = await pass();
      settled();
      await clock.sleep(milliseconds(pause), AbortSignal.any([signal, wake.signal]));
      await clock.sleep(gather, signal);
    }
  };
  const running = run();

  return {
    settled: firstPass,
    sweepSoon: () => {
      isSweepDue = true;
      wake.abort();
    },
    close: async () => {
      closing.abort();
      stopWatching();
      await running;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
