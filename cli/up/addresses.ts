import type { ServiceName } from '../../pool/records/host.ts';
import type {
  GuestService,
  HostChoice,
  HostPorts,
  PoolChoice,
  ServiceGuest,
} from './pool-choice.ts';

/** A port of a service in its guest: the one that the manifest of its image names. */
interface GuestPort {
  readonly service: GuestService;
  readonly port: number;
}

const guestPorts: Readonly<Partial<Record<keyof HostPorts, GuestPort>>> = {
  consensus: { service: 'consensus', port: 2379 },
  peer: { service: 'consensus', port: 2380 },
  network: { service: 'network', port: 7423 },
  storage: { service: 'storage', port: 7422 },
};

/** HOST:PORT at which a port of a host is reached: that of a process, or that of a guest. */
export function addressOf(pool: PoolChoice, host: HostChoice, name: keyof HostPorts): string {
  const inGuest = guestPorts[name];
  const guest = inGuest === undefined ? null : guestOf(pool, inGuest.service);
  if (inGuest === undefined || guest === null) return `${host.address}:${host.ports[name]}`;
  return `${guest.address.split('/')[0]}:${inGuest.port}`;
}

/** The guest that a service is in; null: it is a process. */
export function guestOf(pool: PoolChoice, service: GuestService): ServiceGuest | null {
  return pool.guests?.guests.find((each) => each.service === service) ?? null;
}

/** HOST:PORT of each service of a host. */
export function endpoints(
  pool: PoolChoice,
  host: HostChoice,
): Readonly<Partial<Record<ServiceName, string>>> {
  return {
    'vm-lifecycle': addressOf(pool, host, 'vm-lifecycle'),
    storage: addressOf(pool, host, 'storage'),
    network: addressOf(pool, host, 'network'),
    xenstore: addressOf(pool, host, 'xenstore'),
    ...(pool.store === undefined ? { consensus: addressOf(pool, host, 'consensus') } : {}),
  };
}
