import { type Bytes, bytes, milliseconds } from '../../base/units.ts';
import type { Domain, DomainId, DomainState, DomainUuid, ShutdownReason } from '../port.ts';
import type { DomInfo } from './libraries.ts';

/** What libxl reports, in the port's words. */

/** `SHUTDOWN_*` of xen/include/public/sched.h, by number. A soft reset is a reboot to us. */
const reasons: readonly ShutdownReason[] = [
  'poweroff',
  'reboot',
  'suspend',
  'crash',
  'watchdog',
  'reboot',
];

/** The state of a domain; a reason that Xen does not name counts as a crash. */
export function domainState(info: DomInfo): DomainState {
  if (info.dying) return { kind: 'dying' };
  if (info.shutdown) return { kind: 'shutdown', reason: reasons[info.shutdown_reason] ?? 'crash' };
  return { kind: info.paused ? 'paused' : 'running' };
}

/** A domain's UUID in its 36-character form. */
export function domainUuid({ uuid }: DomInfo): DomainUuid {
  const hex = Buffer.from(Array.from(uuid)).toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return [...parts, hex.slice(20)].join('-') as DomainUuid;
}

/** A domain as the port lists it; `name` is '' when its building was cut short. */
export function domainOf(info: DomInfo, name: string): Domain {
  return {
    id: info.domid as DomainId,
    uuid: domainUuid(info),
    name,
    state: domainState(info),
    memory: kibibytes(info.current_memkb),
    // The greatest number of a virtual CPU: 2^32 - 1 while a half-built domain has none.
    vcpus: (info.vcpu_max_id + 1) % 2 ** 32,
    processor: {
      had: milliseconds(Math.floor(Number(info.cpu_time) / 1e6)),
      waits: domainState(info).kind === 'running' && !info.running && !info.blocked,
    },
  };
}

/** KiB, which libxl counts in, as bytes. */
export function kibibytes(value: number): Bytes {
  return bytes(value * 1024);
}
