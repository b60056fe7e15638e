import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type { Domain, DomainId, DomainListener } from '../port.ts';

/**
 * How often the domains are looked at. Xen reports only that some domain stopped or went
 * (VIRQ_DOM_EXC, by way of @releaseDomain), not a pause by another tool; one hypercall a second
 * sees everything and costs a control domain less than a thousandth of a CPU.
 */
const interval: Milliseconds = milliseconds(1000);

/**
 * And at most this share of the time goes by with looking: on a host that is short of processors a look
 * takes long, and takes from those that are waited for.
 */
const share = 1 / 20;

/** Notices what happened to the domains by comparing one list with the next. */
export class ChangeWatcher {
  readonly #list: () => Promise<readonly Domain[] | null>;
  readonly #listeners = new Set<DomainListener>();
  #seen = new Map<DomainId, string>();
  #timer: NodeJS.Timeout | null = null;
  #looking = false;
  #lookAgain = false;

  /** `list` returns the domains, or null when they cannot be listed now. */
  constructor(list: () => Promise<readonly Domain[] | null>) {
    this.#list = list;
  }

  /** Calls `listener` for every change from now on. */
  watch(listener: DomainListener): () => void {
    const own: DomainListener = (id) => listener(id);
    this.#listeners.add(own);
    if (this.#timer === null) {
      this.#seen.clear();
      this.#later(interval);
      this.look();
    }
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  /** Looks now: something was done to a domain. */
  look(): void {
    if (this.#looking) this.#lookAgain = true;
    else if (this.#timer !== null) void this.#compare();
  }

  /** Looks no more. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#listeners.clear();
  }

  #later(pause: number): void {
    this.#timer = setTimeout(() => this.look(), pause);
  }

  async #compare(): Promise<void> {
    this.#looking = true;
    const start = performance.now();
    do {
      this.#lookAgain = false;
      const domains = await this.#list();
      if (domains === null) continue;
      const now = new Map(
        domains.map(({ id, uuid, state }) => [id, JSON.stringify([uuid, state])]),
      );
      const changed = new Set<DomainId>();
      for (const [id, what] of now) if (this.#seen.get(id) !== what) changed.add(id);
      for (const id of this.#seen.keys()) if (!now.has(id)) changed.add(id);
      this.#seen = now;
      for (const id of changed) for (const listener of [...this.#listeners]) listener(id);
    } while (this.#lookAgain);
    this.#looking = false;
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#later(Math.max(interval, (performance.now() - start) / share));
  }
}
