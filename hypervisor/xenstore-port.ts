import type { Result } from '../base/result.ts';
import type { DomainId, HypervisorError } from './port.ts';

/**
 * What a xenstored needs of the hypervisor, and no more: the pages and the event channels that it
 * shares with domains, and which domains there are. `xen/` implements it with the kernel's devices,
 * `simulated/` with memory of this process; both pass the suite in `test/contract/`.
 */

/** A page that a domain shares with its xenstored, mapped into this process. */
export interface SharedPage {
  /**
   * The page's 4096 bytes, which the domain reads and writes at the same time. They stay mapped when
   * the domain dies. `unmap` detaches the buffer: whoever still uses it then gets an exception, and
   * never memory of somebody else.
   */
  readonly memory: ArrayBuffer;
  /** Lets go of the page; nothing happens the second time. */
  unmap(): void;
}

/** This process's end of an event channel. */
export interface EventChannel {
  /** Its number at this end. */
  readonly localPort: number;
  /** Signals the other end. It is a full memory barrier. */
  notify(): void;
  /** Lets the next event come: after each, no other comes until then. None is lost in between. */
  unmask(): void;
  /** Closes this end; the other end can be bound again. Nothing happens the second time. */
  unbind(): void;
}

/** What the hypervisor says of a domain; one that is dying is `gone`. */
export type DomainPresence = 'running' | 'shutdown' | 'gone';

/** The hypervisor as a xenstored sees it. Calls are short, and return with the outcome. */
export interface XenstoreHost {
  /** The port of the control domain that waits to be bound by its xenstored. */
  controlPort(): Result<number, HypervisorError>;

  /** Maps the ring of a domain: of the control domain too, of others as they have granted it. */
  mapRing(domain: DomainId): Result<SharedPage, HypervisorError>;

  /**
   * Binds the unbound port of a domain that is meant for us. `onEvent` is called after an event,
   * never within another call, and once for several events that come at once.
   */
  bind(domain: DomainId, port: number, onEvent: () => void): Result<EventChannel, HypervisorError>;

  /**
   * Calls `listener` whenever a domain has shut down or is gone, once for several at once. There can be
   * one such listener on a host (VIRQ_DOM_EXC): a second one, of any process, is refused.
   */
  watchDomains(listener: () => void): Result<void, HypervisorError>;

  /** What the hypervisor has of a domain. Where it cannot be asked, a domain counts as running. */
  presence(domain: DomainId): DomainPresence;

  /** Lets go of everything; channels and pages of this host are not to be used again. */
  close(): void;
}
