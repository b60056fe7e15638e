import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import type { HypervisorError } from '../../../hypervisor/port.ts';
import type { XenstoreHost } from '../../../hypervisor/xenstore-port.ts';
import { endPredecessor } from './predecessor.ts';
import { DomainRings, type RingsOptions } from './rings.ts';

/** How long others that are about to serve are given to say so in the pid file, and to be ended. */
const takeOverPatience: Milliseconds = milliseconds(20_000);
const takeOverPause: Milliseconds = milliseconds(200);

/** Who serves the rings of this host. */
export type RingsClaim =
  | { readonly kind: 'here'; readonly rings: DomainRings }
  | { readonly kind: 'nobody' }
  /** Another process, or the xenstore domain: `why` says so. */
  | { readonly kind: 'elsewhere'; readonly why: string };

/** Whether this process is to serve the rings of its host, and what it does about others. */
export interface RingsWanted {
  /** Undefined: where there are rings, and nobody else serves them. */
  readonly wanted: boolean | undefined;
  /** The file in which whoever serves the rings has its process id. */
  readonly pidFile: string | undefined;
  /** Ends the xenstored of that file. */
  readonly takeOver: boolean;
  /** Whether this is the control domain of a Xen host. */
  readonly here: boolean;
  open(): Promise<Result<XenstoreHost, HypervisorError>>;
}

/**
 * Takes the rings of this host's domains for this process, in place of another one where that is
 * wanted. The failure is a sentence.
 */
export async function claimRings(
  { wanted, pidFile, takeOver, here, open }: RingsWanted,
  options: RingsOptions,
): Promise<Result<RingsClaim, string>> {
  if (wanted === false || (wanted === undefined && !here)) return ok({ kind: 'nobody' });
  const deadline = performance.now() + takeOverPatience;
  for (;;) {
    const ended = takeOver && pidFile !== undefined ? await endPredecessor(pidFile) : ok(undefined);
    if (!ended.ok) return ended;
    const host = await open();
    if (!host.ok) return fail(`${host.error.detail}; --no-rings serves the socket alone`);
    const rings = DomainRings.claim(host.value, options);
    if (rings.ok) return ok({ kind: 'here', rings: rings.value });
    host.value.close();
    // The file is a sign that xenstoreds like this one serve the host, and one of them has just begun.
    const insists = wanted === true || (takeOver && pidFile !== undefined && existsSync(pidFile));
    if (insists && takeOver && performance.now() < deadline) {
      await sleep(takeOverPause);
      continue;
    }
    if (insists) return fail(`${rings.error}; --no-rings serves the socket alone`);
    return ok({ kind: 'elsewhere', why: rings.error });
  }
}
