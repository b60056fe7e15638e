import { fail, ok, type Result } from '../../base/result.ts';
import type { DomainId, HypervisorError } from '../port.ts';
import type { SharedPage, XenstoreHost } from '../xenstore-port.ts';
import { type ControlRing, grantedRing, ownRing } from './control-ring.ts';
import { DomainInfo } from './domain-info.ts';
import { EventChannels } from './event-channels.ts';
import { Grants } from './grants.ts';
import { deviceFailure, loadKernel } from './kernel.ts';

/** Which domain this is: the one that controls the host, or one that has its xenstore alone. */
export type XenstorePlace = 'control-domain' | 'xenstore-domain';

const controlDomain = 0 as DomainId;

/** GNTTAB_RESERVED_XENSTORE of grant_table.h: the grant by which a domain shares its ring. */
const xenstoreGrant = 1;

/** VIRQ_DOM_EXC of xen.h: a domain has shut down or died. */
const domainException = 3;

/** Opens what a xenstored needs of this host's Xen; fails where this domain may not have it. */
export function openLinuxXenstoreHost(
  place: XenstorePlace = 'control-domain',
): Result<XenstoreHost, HypervisorError> {
  try {
    return ok(new LinuxXenstoreHost(place));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const detail = `a xenstored cannot reach Xen here: ${reason}`;
    return fail({ code: 'hypervisor-unavailable', detail });
  }
}

class LinuxXenstoreHost implements XenstoreHost {
  readonly #domains: DomainInfo;
  readonly #grants: Grants;
  readonly #channels: EventChannels;
  readonly #control: ControlRing;
  readonly #place: XenstorePlace;

  constructor(place: XenstorePlace) {
    this.#place = place;
    const kernel = loadKernel();
    this.#domains = new DomainInfo();
    this.#grants = new Grants(kernel);
    this.#channels = new EventChannels(kernel);
    const granted = () => this.#grants.map(controlDomain, xenstoreGrant);
    this.#control = place === 'control-domain' ? ownRing(kernel) : grantedRing(granted);
  }

  controlPort(): Result<number, HypervisorError> {
    return this.#control.port();
  }

  mapRing(domain: DomainId): Result<SharedPage, HypervisorError> {
    return domain === controlDomain ? this.#control.map() : this.#grants.map(domain, xenstoreGrant);
  }

  bind(...[domain, port, onEvent]: Parameters<XenstoreHost['bind']>) {
    return this.#channels.bind(domain, port, onEvent);
  }

  watchDomains(listener: () => void): Result<void, HypervisorError> {
    // It has the interrupt and the control domain's ring: Xen would let us bind a second one, for nothing.
    const other = this.#place === 'control-domain' ? this.#domains.xenstoreDomain() : null;
    if (other !== null)
      return deviceFailure(`domain ${other} is the xenstore domain, and serves this host`);
    const bound = this.#channels.bindVirq(domainException, () => {
      if (bound.ok) bound.value.unmask();
      listener();
    });
    if (bound.ok) return ok(undefined);
    const { code, detail } = bound.error;
    return fail({ code, detail: `${detail}; another xenstored serves this host` });
  }

  presence(domain: DomainId) {
    return this.#domains.presence(domain);
  }

  close(): void {
    this.#channels.close();
    this.#grants.close();
    this.#domains.close();
  }
}
