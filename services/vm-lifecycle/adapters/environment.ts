import type { Logger } from 'pino';
import type { Hypervisor } from '../../../hypervisor/port.ts';
import type { Clock } from '../../../pool/clock.ts';
import type { EventWriter } from '../../../pool/events.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { HostId } from '../../../pool/records/identifiers.ts';
import type { ConsoleHub } from './console/hub.ts';
import type { DomainJournal } from './domain-journal.ts';
import type { HostNetwork } from './host-network.ts';
import type { HostStorage } from './host-storage.ts';
import type { GuestImages } from './images/guest-images.ts';
import type { Turns } from './turns.ts';

/** What a VM boots that names no kernel of its own: paths on this host. */
export interface DefaultBoot {
  readonly kernel: string;
  readonly ramdisk: string;
  readonly commandLine: string;
}

/** Everything outside this service that it works with, on one host. `main.ts` puts it together. */
export interface Environment {
  readonly host: { readonly id: HostId; readonly name: string };
  readonly pool: Pool;
  readonly hypervisor: Hypervisor;
  readonly hypervisorKind: 'xen' | 'simulated';
  readonly storage: HostStorage;
  readonly network: HostNetwork;
  /** Which domains Flotilla built on this host. */
  readonly journal: DomainJournal;
  /** What is measured of guests before they start. */
  readonly images: GuestImages;
  readonly consoles: ConsoleHub;
  readonly events: EventWriter;
  /** Starts of VMs that this host answers. */
  readonly starts: Turns;
  readonly defaultBoot: DefaultBoot | null;
  readonly clock: Clock;
  readonly log: Logger;
}
