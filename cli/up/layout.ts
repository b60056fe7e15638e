import { join } from 'node:path';
import { assert, present } from '../../base/assert.ts';
import type { ServiceName } from '../../pool/records/host.ts';
import { guestsSocket, supervisorSocket } from '../../pool/supervision/messages.ts';
import { endpoints, guestOf } from './addresses.ts';
import { hostGuests } from './guest-layout.ts';
import type { HostPlan, HostProcess } from './host-plan.ts';
import type { GuestService, HostChoice, PoolChoice } from './pool-choice.ts';
import {
  commonConfiguration,
  memberConfiguration,
  networkConfiguration,
  processPlaces,
  storageConfiguration,
} from './service-configuration.ts';

/**
 * Which processes make a host, and how each is configured: a pure function of what was chosen when
 * the pool was made. `flotilla up` writes what comes out of it; `flotilla host up` runs it.
 */

/** What guests boot where a VM names no kernel of its own: files in the host's image. */
const xenDefaultBoot = {
  kernel: '/var/lib/flotilla/boot/vmlinuz-guest',
  ramdisk: '/var/lib/flotilla/boot/initrd-guest',
  commandLine: 'console=hvc0',
};

/**
 * What the xenstored of a Xen host has been doing since the host's boot, when no pool was there yet, the
 * pool's goes on with. The files are of this boot: /run is empty after the next one.
 */
const xenstoreOfHost = {
  dataDir: '/run/flotilla/xenstored',
  pidFile: '/run/flotilla/xenstored.pid',
  takeOver: true,
};

/** Of several hosts at one address, which is for trying a pool out, one can serve its domains. */
function servesDomains(pool: PoolChoice, host: HostChoice): boolean {
  const first = pool.hosts.find((each) => each.address === host.address);
  return pool.hypervisor === 'xen' && first === host;
}

/** The processes of one host of the pool. `directory` is the host's own. */
export function hostPlan(pool: PoolChoice, hostName: string, directory: string): HostPlan {
  const host = present(
    pool.hosts.find((each) => each.name === hostName),
    `a host of the pool named ${hostName}`,
  );
  assert(directory.startsWith('/'), 'the host directory is absolute');
  const simulated = pool.hypervisor === 'simulated';
  const socket = join(directory, 'hypervisor.sock');
  const common = (name: Exclude<ServiceName, 'consensus'>) =>
    commonConfiguration(pool, host, name, processPlaces(directory, name));
  const guests = hostGuests(pool, host, directory);
  const own = (service: GuestService): readonly HostProcess[] =>
    guestOf(pool, service) === null ? [ownProcess(pool, host, service, directory)] : [];
  const processes: HostProcess[] = [
    ...(pool.store === undefined ? own('consensus') : []),
    ...(guests === null ? [] : [guests.process]),
    {
      name: 'xenstore',
      command: ['xenstored'],
      configuration: {
        ...common('xenstore'),
        socket: join(directory, 'xenstored.sock'),
        ...(servesDomains(pool, host) ? xenstoreOfHost : {}),
      },
    },
    ...own('storage'),
    ...own('network'),
    {
      name: 'vm-lifecycle',
      command: ['vm-lifecycle'],
      configuration: {
        ...common('vm-lifecycle'),
        hypervisor: simulated ? { kind: 'simulated', socket } : { kind: 'xen' },
        services: endpoints(pool, host),
        ...(guests === null ? {} : { serviceGuestsDir: join(directory, 'service-guests') }),
        supervisors: [
          join(directory, supervisorSocket),
          ...(guests === null ? [] : [guestsSocket]),
        ],
        defaultBoot: simulated ? { kernel: '', ramdisk: '', commandLine: '' } : xenDefaultBoot,
      },
    },
  ];
  if (simulated)
    processes.unshift({
      name: 'simulated-hypervisor',
      command: ['simulated-hypervisor'],
      configuration: { socket },
    });
  return {
    ...{ host: { id: host.id, name: host.name }, directory, processes },
    ...(guests === null ? {} : { seeds: guests.seeds }),
  };
}

/** A service that could be a guest, as a process. */
function ownProcess(
  pool: PoolChoice,
  host: HostChoice,
  service: GuestService,
  directory: string,
): HostProcess {
  const places = processPlaces(directory, service);
  const configure = {
    consensus: () => memberConfiguration(pool, host, places),
    network: () => networkConfiguration(pool, host, places),
    storage: () => storageConfiguration(pool, host, places, join(directory, 'sr')),
  };
  return { name: service, command: [service], configuration: configure[service]() };
}
