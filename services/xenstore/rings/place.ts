import type { DomainId } from '../core/permissions.ts';

/** Where the ring of a domain is. */
export interface RingPlace {
  readonly domain: DomainId;
  /** As INTRODUCE said; a domain's grant for it is in entry 1 of its grant table in any case. */
  readonly gfn: number;
  /** The domain's port of the event channel. */
  readonly port: number;
  /** What the domain is shown that xenstored offers. */
  readonly features: number;
}
