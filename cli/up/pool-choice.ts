import type { HostId } from '../../pool/records/identifiers.ts';
import type { ExternalDatabase } from '../connection/find-pool.ts';

/** What is chosen when a pool is made, and kept for its life. */

/** The ports of one host, all on the same address. */
export interface HostPorts {
  readonly 'vm-lifecycle': number;
  readonly storage: number;
  readonly network: number;
  readonly xenstore: number;
  readonly consensus: number;
  readonly peer: number;
}

/** The names of the ports, in the order in which they are chosen. */
export const portNames = [
  'vm-lifecycle',
  'storage',
  'network',
  'xenstore',
  'consensus',
  'peer',
] as const satisfies readonly (keyof HostPorts)[];

/** One host, as it was chosen. */
export interface HostChoice {
  readonly id: HostId;
  readonly name: string;
  /** The address that its services listen on, and that others reach them by. */
  readonly address: string;
  readonly ports: HostPorts;
}

/** The services that `flotilla up` can run as guests, in the order in which a host starts them. */
export const guestServices = ['consensus', 'network', 'storage'] as const;
export type GuestService = (typeof guestServices)[number];

/** PVH wants a processor with virtualisation, PV none. */
export const guestTypes = ['pv', 'pvh'] as const;
export type GuestType = (typeof guestTypes)[number];

/** A service of a host that runs as a guest of its own, from a signed image. */
export interface ServiceGuest {
  readonly service: GuestService;
  /** ADDRESS/LENGTH on the bridge of the host's guests; IPv4. */
  readonly address: string;
}

/** What a host's service guests are made of. Paths are absolute. */
export interface GuestsChoice {
  /** A directory with an image for each service. */
  readonly images: string;
  /** The public key that signed them; left out: `trusted-key.pem` beside them. */
  readonly trustedKey?: string | undefined;
  /** How Xen runs them; left out: PVH. */
  readonly type?: GuestType | undefined;
  readonly guests: readonly ServiceGuest[];
}

/**
 * A pool, as it was chosen. It never changes afterwards, but for the addresses of an etcd, and for
 * what is known of its database.
 */
export interface PoolChoice {
  /** A UUID: members of pools of the same name do not mistake each other for their own. */
  readonly id: string;
  readonly name: string;
  readonly hypervisor: 'xen' | 'simulated';
  readonly hosts: readonly HostChoice[];
  /** Left out: each host runs a member of the pool's own database. */
  readonly store?: ExternalDatabase | undefined;
  /** Left out: all services are processes. A pool with service guests has one host. */
  readonly guests?: GuestsChoice | undefined;
  /**
   * All members of its own database have run: one that comes without data joins the others, and does
   * not begin another database.
   */
  readonly databaseBegan?: boolean | undefined;
}
