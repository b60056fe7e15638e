import type { Bytes, Milliseconds } from '../../../base/units.ts';
import type {
  DiskConfig,
  Domain,
  DomainConfig,
  DomainId,
  HypervisorError,
  HypervisorInfo,
  UnservedDevices,
} from '../../port.ts';

/** The words of the simulated hypervisor: what its host is, and what may be asked of it. */

/** How long the simulated host and its guests take. */
export interface Latency {
  /** From the request to build a domain until it is built, paused. */
  readonly create: Milliseconds;
  /** From the first unpause to the guest's last line of boot. */
  readonly boot: Milliseconds;
  /** From the request to shut down until the guest has stopped. */
  readonly shutdown: Milliseconds;
  /** How long a destroyed domain is `dying`. */
  readonly destroy: Milliseconds;
}

/** What the simulated host has. */
export interface HostConfig {
  readonly cpus: number;
  readonly memory: Bytes;
  readonly latency: Latency;
}

/** Numbers the calls that wait for an answer; the shell chooses it. */
export type CallId = number;

/** The calls of the port that reach the core; consoles and watches are the shell's. */
export type Call =
  | { readonly kind: 'info' }
  | { readonly kind: 'listDomains' }
  | {
      readonly kind: 'createDomain';
      readonly config: DomainConfig;
      /** What the shell found wrong with the configuration's files. */
      readonly files: HypervisorError | null;
    }
  | { readonly kind: 'connectDisk'; readonly id: DomainId; readonly disk: DiskConfig }
  | { readonly kind: 'nicInterface'; readonly id: DomainId; readonly index: number }
  | { readonly kind: 'connectNic'; readonly id: DomainId; readonly index: number }
  | { readonly kind: 'unservedDevices'; readonly id: DomainId }
  | { readonly kind: 'unpause'; readonly id: DomainId }
  | { readonly kind: 'pause'; readonly id: DomainId }
  | {
      readonly kind: 'requestShutdown';
      readonly id: DomainId;
      readonly reason: 'poweroff' | 'reboot';
    }
  | { readonly kind: 'destroyDomain'; readonly id: DomainId }
  | { readonly kind: 'openConsole'; readonly id: DomainId };

/** The name of a call, as faults select it. */
export type CallKind = Call['kind'];

/** What a call answers; which member of the union is fixed by the call's kind. */
export type CallValue =
  | { readonly kind: 'info'; readonly info: HypervisorInfo }
  | { readonly kind: 'domains'; readonly domains: readonly Domain[] }
  | { readonly kind: 'id'; readonly id: DomainId }
  | { readonly kind: 'interface'; readonly name: string }
  | { readonly kind: 'unserved'; readonly devices: UnservedDevices }
  | { readonly kind: 'done' };
