import { fail, ok, type Result } from '../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import type { HypervisorError } from '../../../hypervisor/port.ts';
import type { XenstoreHost } from '../../../hypervisor/xenstore-port.ts';
import { allFeatures } from '../core/domain.ts';
import type { XenstoreError } from '../core/error.ts';
import { controlDomain, type DomainId } from '../core/permissions.ts';
import type { RingFault } from '../rings/layout.ts';
import type { AttachedRing, RingLeft, RingPlace, Rings } from './attached.ts';
import type { Daemon } from './daemon.ts';
import { RingQueue } from './ring-queue.ts';
import { ServedRing } from './served-ring.ts';
import { Silences } from './silences.ts';

/** What is told of rings; it is to be logged. */
export interface RingsOptions {
  /** A ring is served no longer, or cannot be: told once in `silence` for each domain. */
  readonly onTrouble: (domain: DomainId, trouble: string) => void;
}

/** How long the troubles of the same domain are not told of again: its guest can make them. */
const silence: Milliseconds = milliseconds(10_000);

/** Why a ring was found to be broken, in words. */
const faults: Record<RingFault, string> = {
  communication: 'its event channel does not work, or it does not take what is sent to it',
  indexes: 'its ring has indexes that cannot be',
  protocol: 'it sent a packet that is too long',
};

/** Serves the rings of this host's domains to a daemon. */
export class DomainRings implements Rings {
  readonly #host: XenstoreHost;
  readonly #options: RingsOptions;
  readonly #queue = new RingQueue();
  readonly #rings = new Set<ServedRing>();
  readonly #troubles = new Silences<DomainId>(silence);
  #daemon: Daemon | null = null;

  private constructor(host: XenstoreHost, options: RingsOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** Takes the host's domains for this process; fails where another xenstored has them. */
  static claim(host: XenstoreHost, options: RingsOptions): Result<DomainRings, string> {
    const rings = new DomainRings(host, options);
    const claimed = host.watchDomains(() => rings.#look());
    return claimed.ok ? ok(rings) : fail(claimed.error.detail);
  }

  exists(domain: DomainId): boolean {
    return this.#host.presence(domain) !== 'gone';
  }

  map(
    place: RingPlace,
    attached: AttachedRing,
    left: RingLeft | null,
  ): Result<ServedRing, XenstoreError> {
    const { domain, features } = place;
    const page = this.#host.mapRing(domain);
    if (!page.ok) return this.#refuse(domain, page.error);
    const ring = new ServedRing({
      page: page.value,
      features,
      attached,
      left,
      used: domain === controlDomain,
      queue: this.#queue,
      bind: (port, onEvent) => this.#host.bind(domain, port, onEvent),
      onFault: (fault) => this.#trouble(domain, `is served no longer: ${faults[fault]}`),
      onClose: () => this.#rings.delete(ring),
    });
    const bound = ring.bind(place.port);
    if (!bound.ok) {
      ring.close();
      return this.#refuse(domain, bound.error);
    }
    this.#rings.add(ring);
    return ok(ring);
  }

  /**
   * Begins to serve: the ring of the control domain, whose kernel then knows that xenstore is there,
   * and what the hypervisor tells of domains that have ended, now and before.
   */
  serve(daemon: Daemon): Result<void, string> {
    this.#daemon = daemon;
    const port = this.#host.controlPort();
    if (!port.ok) return fail(port.error.detail);
    const place = { domain: controlDomain, gfn: 0, port: port.value, features: allFeatures };
    if (!daemon.serves(controlDomain) && !daemon.introduce(place).ok)
      return fail('the ring of the control domain cannot be served');
    this.#look();
    return ok(undefined);
  }

  /** Lets go of all rings. The daemon is not told. */
  close(): void {
    for (const ring of [...this.#rings]) ring.close();
    this.#host.close();
  }

  #look(): void {
    this.#daemon?.domainsChanged((domain) => this.#host.presence(domain));
  }

  #refuse(domain: DomainId, { detail }: HypervisorError) {
    this.#trouble(domain, `is not served: ${detail}`);
    return fail<XenstoreError>('EIO');
  }

  #trouble(domain: DomainId, trouble: string): void {
    if (this.#troubles.tells(domain)) this.#options.onTrouble(domain, trouble);
  }
}
