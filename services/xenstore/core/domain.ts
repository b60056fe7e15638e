import { type Caller, controlDomain, type DomainId } from './permissions.ts';
import { copyQuotas, type QuotaName, type Quotas } from './quota.ts';

/** Names a connection; the adapter chooses it and never uses it again. */
export type ConnectionId = number;

/** Bits of the feature field at offset 2064 of the ring page: xs_wire.h. */
export const features = {
  reconnection: 1,
  error: 2,
  watchDepth: 4,
  anyDomain: 8,
} as const;

/** Every feature that this xenstored has. */
export const allFeatures: number =
  features.reconnection | features.error | features.watchDepth | features.anyDomain;

/** Times that a domain may spoil others' transactions before it has to wait: see SPEC.md, X45. */
export const conflictCredit = 5;

/** What a domain uses at the moment. */
export type Usage = Record<QuotaName, number>;

/** A domain that uses nothing. */
export function nothing(): Usage {
  return {
    nodes: 0,
    watches: 0,
    outstanding: 0,
    memory: 0,
    transactions: 0,
    'transaction-nodes': 0,
    permissions: 0,
    'path-max': 0,
    'node-size': 0,
  };
}

/** Everything about a domain: see `StoreDump`. */
export interface DomainDump {
  readonly id: DomainId;
  readonly quotas: Quotas;
  readonly used: Usage;
  readonly peak: Usage;
  readonly connections: readonly ConnectionId[];
  readonly introduced: boolean;
  readonly shutdown: boolean;
  readonly features: number;
  readonly target: DomainId | null;
  readonly credit: number;
  readonly held: boolean;
  /** The adapter was told that it is above its soft quota. */
  readonly warned: boolean;
}

/** Called when a domain exceeds a quota of its own. */
export type ExceededListener = (domain: DomainId, quota: QuotaName | 'soft-memory') => void;

/**
 * One life of a domain: a domain of the same id that comes later is another, with counts of its own
 * (XSA-483). The control domain is bound by no quota.
 */
export class Domain implements Caller {
  readonly id: DomainId;
  readonly privileged: boolean;
  readonly quotas: Quotas;
  readonly used: Usage = nothing();
  /** The most that it has used at once. */
  readonly peak: Usage = nothing();
  readonly connections = new Set<ConnectionId>();
  /** Its ring is served. */
  introduced = false;
  /** It is known to have shut down, so that its watchers have been told. */
  shutdown = false;
  features: number = allFeatures;
  target: DomainId | null = null;
  credit: number = conflictCredit;
  /** Its requests are not taken for the moment. */
  held = false;
  readonly #onExceeded: ExceededListener;
  #warned = false;

  constructor(id: DomainId, quotas: Quotas, onExceeded: ExceededListener) {
    this.id = id;
    this.privileged = id === controlDomain;
    this.quotas = copyQuotas(quotas);
    this.#onExceeded = onExceeded;
  }

  /** The life of a domain that another store has dumped. */
  static from(dump: DomainDump, onExceeded: ExceededListener): Domain {
    const domain = new Domain(dump.id, dump.quotas, onExceeded);
    Object.assign(domain.used, dump.used);
    Object.assign(domain.peak, dump.peak);
    for (const connection of dump.connections) domain.connections.add(connection);
    domain.introduced = dump.introduced;
    domain.shutdown = dump.shutdown;
    domain.features = dump.features;
    domain.target = dump.target;
    domain.credit = dump.credit;
    domain.held = dump.held;
    domain.#warned = dump.warned;
    return domain;
  }

  /** Everything about it: see `StoreDump`. */
  dump(): DomainDump {
    const { id, introduced, shutdown, features, target, credit, held } = this;
    return {
      id,
      quotas: copyQuotas(this.quotas),
      used: { ...this.used },
      peak: { ...this.peak },
      connections: [...this.connections],
      introduced,
      shutdown,
      features,
      target,
      credit,
      held,
      warned: this.#warned,
    };
  }

  /** Whether a value is above a quota; if it is, the adapter is told. */
  exceeds(quota: QuotaName, value: number): boolean {
    if (value > this.peak[quota]) this.peak[quota] = value;
    if (!this.above(quota, value)) return false;
    this.#onExceeded(this.id, quota);
    return true;
  }

  /** Whether a value is above a quota, without a word about it. */
  above(quota: QuotaName, value: number): boolean {
    const most = this.quotas.hard[quota];
    return !this.privileged && most !== 0 && value > most;
  }

  /** Counts something that is used from now on, or, where negative, no longer. */
  use(quota: QuotaName, amount: number): void {
    const value = this.used[quota] + amount;
    this.used[quota] = value;
    if (value > this.peak[quota]) this.peak[quota] = value;
    if (quota !== 'memory' || this.privileged) return;
    const soft = this.quotas.softMemory;
    const above = soft !== 0 && value > soft;
    if (above && !this.#warned) this.#onExceeded(this.id, 'soft-memory');
    this.#warned = above;
  }

  /** Whether it has to wait until others have caught up with it. */
  get mustWait(): boolean {
    if (this.privileged) return false;
    const { outstanding, memory } = this.quotas.hard;
    if (outstanding !== 0 && this.used.outstanding >= outstanding) return true;
    if (memory !== 0 && this.used.memory >= memory && this.used.outstanding > 0) return true;
    return this.credit <= 0;
  }

  /** The adapter is told which quota makes it wait. */
  tellWhyHeld(): void {
    const { outstanding } = this.quotas.hard;
    const replies = outstanding !== 0 && this.used.outstanding >= outstanding;
    this.#onExceeded(this.id, replies ? 'outstanding' : 'memory');
  }

  /** The most that was used is, from now on, what is used now. */
  forgetPeaks(): void {
    Object.assign(this.peak, this.used);
  }
}
