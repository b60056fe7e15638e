import { present } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { DomainId, HypervisorError } from '../port.ts';
import type { DomainPresence, EventChannel, SharedPage, XenstoreHost } from '../xenstore-port.ts';
import { EventPort } from './event-port.ts';

const pageLength = 4096;
const controlDomain = 0 as DomainId;

/** The port of the channel between the control domain's kernel and its xenstored. */
const controlPort = 2;

/** A domain of a simulated host, as it sees its own ring. */
export interface SimulatedGuest {
  /** The page, which is another buffer after the xenstored has unmapped it, with the same bytes. */
  readonly memory: ArrayBuffer;
  /** Makes a port that waits to be bound by the xenstored; `onEvent` is called at its events. */
  openPort(onEvent: () => void): number;
  /** Signals the channel of a port. */
  notify(port: number): void;
}

interface SimulatedDomain {
  memory: ArrayBuffer;
  presence: DomainPresence;
  readonly ports: Map<number, EventPort>;
}

/** Domains with a ring each, in this process: what a xenstored is tested with without Xen. */
export class SimulatedRings {
  readonly #domains = new Map<DomainId, SimulatedDomain>();
  /** Told that a domain has ended: at most one listener, as there is one VIRQ_DOM_EXC. */
  #exceptions: EventPort | null = null;
  #nextPort = controlPort;

  /** The control domain's kernel. */
  readonly control: SimulatedGuest;

  /** A host with the control domain alone; `onEvent` is called at events for its kernel. */
  constructor(onEvent: () => void = () => undefined) {
    this.control = this.create(controlDomain);
    this.control.openPort(onEvent);
  }

  /** A new domain. */
  create(id: DomainId): SimulatedGuest {
    const domain: SimulatedDomain = {
      memory: new ArrayBuffer(pageLength),
      presence: 'running',
      ports: new Map(),
    };
    this.#domains.set(id, domain);
    return {
      get memory() {
        return domain.memory;
      },
      openPort: (onEvent) => {
        const port = this.#nextPort;
        this.#nextPort += 1;
        domain.ports.set(port, new EventPort(onEvent, false));
        return port;
      },
      notify: (port) => domain.ports.get(port)?.notify(),
    };
  }

  /** The domain has shut down, or is destroyed; one that was mapped is dying until it is not. */
  end(id: DomainId, presence: 'shutdown' | 'gone'): void {
    const domain = present(this.#domains.get(id), `domain ${id} exists`);
    domain.presence = presence;
    if (presence === 'gone') for (const port of domain.ports.values()) port.close();
    this.#exceptions?.signal();
  }

  /** What a xenstored's process has of this host; `close` is what the end of the process does. */
  open(): XenstoreHost {
    const mapped = new Set<SharedPage>();
    const bound = new Set<EventPort>();
    let exceptions: EventPort | null = null;
    const map = (id: DomainId): Result<SharedPage, HypervisorError> => {
      const domain = this.#domains.get(id);
      if (domain === undefined || domain.presence === 'gone')
        return failure(`grant 1 of domain ${id} cannot be mapped: EINVAL`);
      const page = pageOf(domain, () => mapped.delete(page));
      mapped.add(page);
      return ok(page);
    };
    return {
      controlPort: () => ok(controlPort),
      mapRing: map,
      bind: (id, port, onEvent) => {
        const far = this.#domains.get(id)?.ports.get(port);
        if (far === undefined || far.remote !== null)
          return failure(`port ${port} of domain ${id} cannot be bound: EINVAL`);
        const near = new EventPort(onEvent, true);
        near.remote = far;
        far.remote = near;
        bound.add(near);
        this.#nextPort += 1;
        return ok(channelOf(near, this.#nextPort, () => bound.delete(near)));
      },
      watchDomains: (listener) => {
        if (this.#exceptions !== null)
          return failure('virtual interrupt 3 cannot be bound: EEXIST');
        exceptions = new EventPort(listener, false);
        this.#exceptions = exceptions;
        return ok(undefined);
      },
      presence: (id) => this.#domains.get(id)?.presence ?? 'gone',
      close: () => {
        for (const page of mapped) page.unmap();
        for (const port of bound) port.close();
        exceptions?.close();
        if (this.#exceptions === exceptions) this.#exceptions = null;
      },
    };
  }
}

function pageOf(domain: SimulatedDomain, unmapped: () => void): SharedPage {
  const memory = domain.memory;
  return {
    memory,
    unmap: () => {
      if (memory.detached) return;
      domain.memory = memory.transfer();
      unmapped();
    },
  };
}

function channelOf(port: EventPort, localPort: number, unbound: () => void): EventChannel {
  return {
    localPort,
    notify: () => port.notify(),
    unmask: () => port.unmask(),
    unbind: () => {
      port.close();
      unbound();
    },
  };
}

function failure(detail: string): { ok: false; error: HypervisorError } {
  return fail({ code: 'hypervisor-failed', detail });
}
