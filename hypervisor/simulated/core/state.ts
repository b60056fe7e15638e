import type { Result } from '../../../base/result.ts';
import type { Milliseconds } from '../../../base/units.ts';
import type {
  DiskConfig,
  DomainConfig,
  DomainId,
  DomainState,
  HypervisorError,
} from '../../port.ts';
import type { Fault } from './faults.ts';
import type { Guest } from './guest.ts';
import type { Call, CallId, CallValue, HostConfig } from './vocabulary.ts';

/** The simulated hypervisor's state, what goes into a step, and what comes out. */

/** Everything that happens to a simulated host. */
export type Input =
  | { readonly kind: 'call'; readonly call: CallId; readonly request: Call }
  | { readonly kind: 'typed'; readonly id: DomainId; readonly text: string }
  | { readonly kind: 'inject'; readonly fault: Fault }
  | { readonly kind: 'tick' };

/** Everything that a simulated host does, in order. */
export type Output =
  | {
      readonly kind: 'answer';
      readonly call: CallId;
      readonly result: Result<CallValue, HypervisorError>;
    }
  | { readonly kind: 'changed'; readonly id: DomainId }
  | { readonly kind: 'printed'; readonly id: DomainId; readonly text: string }
  | { readonly kind: 'console-ended'; readonly id: DomainId };

/** One simulated domain. Its state as the port sees it is `state`, its guest's inner life `guest`. */
export interface SimulatedDomain {
  readonly id: DomainId;
  readonly config: DomainConfig;
  /** False while `createDomain` is at work on it. */
  built: boolean;
  state: DomainState;
  readonly guest: Guest;
  /** What the backends were told, by vdev and by index: kept to be asserted on. */
  readonly disks: Map<string, DiskConfig>;
  readonly nics: Set<number>;
  /** Disks whose backend ended with requests unfinished: they stay lost to this domain. */
  readonly lost: Set<string>;
  /** As a driver domain: it has let go of the disks that it served, with nothing unfinished. */
  drained: boolean;
}

/** Something that will happen to a domain at a moment. */
export interface Timer {
  readonly at: Milliseconds;
  readonly id: DomainId;
  readonly event:
    | { readonly kind: 'built'; readonly call: CallId; readonly failure: HypervisorError | null }
    | { readonly kind: 'gone'; readonly call: CallId }
    | { readonly kind: 'guest' };
}

/** The whole state of one simulated host. `step` changes it in place. */
export interface Host {
  readonly config: HostConfig;
  readonly domains: Map<DomainId, SimulatedDomain>;
  timers: Timer[];
  faults: Fault[];
  lastId: number;
}

/** A host that has just been switched on. */
export function newHost(config: HostConfig): Host {
  return { config, domains: new Map(), timers: [], faults: [], lastId: 0 };
}

/** The moment at which the host wants its next `tick`, or null while nothing is due. */
export function nextDeadline(host: Host): Milliseconds | null {
  let earliest: Milliseconds | null = null;
  for (const timer of host.timers)
    if (earliest === null || timer.at < earliest) earliest = timer.at;
  return earliest;
}
