import { closeSync, openSync, readFileSync } from 'node:fs';
import { fail, ok, type Result } from '../../base/result.ts';
import type { DomainId, HypervisorError } from '../port.ts';
import type { SharedPage, XenstoreHost } from '../xenstore-port.ts';
import { DomainInfo } from './domain-info.ts';
import { EventChannels } from './event-channels.ts';
import { Grants } from './grants.ts';
import { deviceFailure, type Kernel, loadKernel, mapPage } from './kernel.ts';

const controlDomain = 0 as DomainId;

/** GNTTAB_RESERVED_XENSTORE of grant_table.h: the grant by which a domain shares its ring. */
const xenstoreGrant = 1;

/** VIRQ_DOM_EXC of xen.h: a domain has shut down or died. */
const domainException = 3;

/** The control domain's own ring, and the port of its event channel (Linux's xenfs). */
const ownPage = '/proc/xen/xsd_kva';
const ownPort = '/proc/xen/xsd_port';

/** Opens what a xenstored needs of this host's Xen; fails where this is not its control domain. */
export function openLinuxXenstoreHost(): Result<XenstoreHost, HypervisorError> {
  try {
    return ok(new LinuxXenstoreHost());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const detail = `a xenstored cannot reach Xen here: ${reason}`;
    return fail({ code: 'hypervisor-unavailable', detail });
  }
}

class LinuxXenstoreHost implements XenstoreHost {
  readonly #kernel: Kernel;
  readonly #domains: DomainInfo;
  readonly #grants: Grants;
  readonly #channels: EventChannels;

  constructor() {
    this.#kernel = loadKernel();
    this.#domains = new DomainInfo();
    this.#grants = new Grants(this.#kernel);
    this.#channels = new EventChannels(this.#kernel);
  }

  controlPort(): Result<number, HypervisorError> {
    return ok(Number(readFileSync(ownPort, 'utf8')));
  }

  mapRing(domain: DomainId): Result<SharedPage, HypervisorError> {
    return domain === controlDomain ? this.#ownRing() : this.#grants.map(domain, xenstoreGrant);
  }

  bind(...[domain, port, onEvent]: Parameters<XenstoreHost['bind']>) {
    return this.#channels.bind(domain, port, onEvent);
  }

  watchDomains(listener: () => void): Result<void, HypervisorError> {
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

  #ownRing(): Result<SharedPage, HypervisorError> {
    const fd = openSync(ownPage, 'r+');
    const page = mapPage(this.#kernel, fd, 0, () => undefined);
    // A mapping outlives the descriptor that it was made with.
    closeSync(fd);
    return page.ok ? page : deviceFailure(`${ownPage} cannot be mapped: ${page.error}`);
  }
}
