import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { DomainId } from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { VmId } from '../../../../pool/records/identifiers.ts';
import { findDomain } from '../domains.ts';
import type { Environment } from '../environment.ts';
import { stoppedWaiting } from '../failures.ts';

/** Events say when to look; this often it is looked in any case, should one be lost on the way. */
const lookEvery = milliseconds(5_000);

/**
 * Waits until the VM's guest has stopped by itself, or its domain is gone. After a restart of the
 * service the wait begins anew.
 */
export async function awaitShutdown(
  environment: Environment,
  { vm, name, timeoutSeconds }: { vm: VmId; name: string; timeoutSeconds: number },
  signal: AbortSignal,
): Promise<Result<void, Failure>> {
  const { clock, hypervisor } = environment;
  const deadline = clock.now() + timeoutSeconds * 1000;
  let wake = new AbortController();
  let awaited: DomainId | null = null;
  const stopWatching = hypervisor.watch((id) => {
    if (id === awaited) wake.abort();
  });
  try {
    for (;;) {
      const domain = await findDomain(environment, vm);
      if (!domain.ok) return domain;
      const kind = domain.value?.state.kind;
      if (kind !== 'running' && kind !== 'paused') return ok(undefined);
      if (awaited === null) {
        // It may have stopped before anybody listened for it: look once more.
        awaited = domain.value?.id ?? null;
        continue;
      }
      const left = deadline - clock.now();
      if (left <= 0) return fail(ranOn(name, timeoutSeconds));
      if (signal.aborted) return fail(stoppedWaiting(`the shutdown of vm ${name}`));
      const span = milliseconds(Math.min(left, lookEvery));
      await clock.sleep(span, AbortSignal.any([signal, wake.signal]));
      wake = new AbortController();
    }
  } finally {
    stopWatching();
  }
}

function ranOn(name: string, timeoutSeconds: number): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `the guest of vm ${name} did not stop within ${timeoutSeconds} s and runs on`,
    remedy: `Stop it at once: flotilla vm destroy ${name}.`,
    resource: { type: 'vm', name },
  };
}
