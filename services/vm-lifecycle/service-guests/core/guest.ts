import { neverRan, type RestartHistory } from '../../../../base/restart.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { DomainId, DomainProcessor, DomainState } from '../../../../hypervisor/port.ts';

/** One service guest as its supervisor knows it: the state, what goes into a step, what comes out. */

/** How long a guest is given. */
export interface Patience {
  /** From its start until it answers for the first time. */
  readonly serve: Milliseconds;
  /** How long one that has answered may be silent until it counts as hung. */
  readonly hang: Milliseconds;
  /** From the request to shut down until it is destroyed. */
  readonly stop: Milliseconds;
}

/** How often the hypervisor is looked at without having told of a change: one may be lost. */
export const lookEvery = milliseconds(5_000);

/** After this the hypervisor is looked at again where it did not answer, or a domain is dying. */
export const lookAgain = milliseconds(1_000);

/**
 * How often a guest is asked whether it serves: while it serves or is silent, `probeServing`. One that starts,
 * or whose kernel refuses, is asked again after a twentieth of the time that it has taken so far, for who asks
 * takes the processor from those that start; but not sooner than `probeStarting`. An answer costs its service
 * a handshake of TLS, so one that is slow is not asked faster.
 */
export const probeStarting = milliseconds(250);
export const probeServing = milliseconds(5_000);
export const probeShare = 1 / 20;

/** A guest that wants to run and has less than this share of a processor is starved: it is not hung. */
export const starvedShare = 1 / 20;

/** A refused image is looked at again so seldom: somebody may have put the right files there. */
export const refusedRetry = milliseconds(60_000);

/** So long the guests behind one in the boot order wait for it to serve. */
export const orderPatience = milliseconds(60_000);

/** Where a guest stands. No phase but `up`, `stopping` and `destroying` has a domain that is known. */
export type Phase =
  /** Whether there is a domain is not known: after our start, and after a job that failed. */
  | {
      readonly kind: 'unsure';
      /** Not to be started before. */
      readonly until: Milliseconds;
      /** The domain that was to be destroyed: it is not adopted. */
      readonly condemned: DomainId | null;
    }
  /** There is no domain. */
  | { readonly kind: 'waiting'; readonly until: Milliseconds }
  /** There is no domain, for its image was refused. */
  | { readonly kind: 'refused'; readonly until: Milliseconds; readonly why: string }
  | { readonly kind: 'starting' }
  | {
      readonly kind: 'up';
      readonly domain: DomainId;
      readonly since: Milliseconds;
      /** When it answered first; null: not yet. */
      readonly servedAt: Milliseconds | null;
      /** When it was last known to serve; before that, when its domain ran. */
      readonly answeredAt: Milliseconds;
      /** When its kernel was heard of last. */
      readonly heardAt: Milliseconds;
      /** Whether the last probe was answered by its service. */
      readonly answers: boolean;
      /** What it had had of the processors at the last look; null: not known. */
      readonly looked: { readonly at: Milliseconds; readonly had: Milliseconds } | null;
      readonly starved: boolean;
    }
  | { readonly kind: 'stopping'; readonly domain: DomainId; readonly until: Milliseconds }
  | {
      readonly kind: 'destroying';
      readonly domain: DomainId;
      /** Not to be started before. */
      readonly until: Milliseconds;
    };

/** Everything that is known of one guest. `step` changes it in place. */
export interface Guest {
  readonly patience: Patience;
  /** Whether it can be asked whether it serves; one that cannot counts as serving while it runs. */
  readonly canBeAsked: boolean;
  phase: Phase;
  history: RestartHistory;
  /** Guests before it in the boot order are not there yet. */
  held: boolean;
  /** Those behind it in the boot order need not wait for it any more. */
  settled: boolean;
  /** The number of the look whose answer counts; null: none is under way. */
  look: number | null;
  looks: number;
  lookAt: Milliseconds;
  /** Which of its lives this is: a probe of an earlier one says nothing. */
  life: number;
  probing: boolean;
  probeAt: Milliseconds;
}

/** What a probe found: its service answered, its kernel said that nobody listens, or nothing came. */
export type Probe = 'answered' | 'unserved' | 'silent';

/** What a look found of a guest's domain. */
export interface Found {
  readonly id: DomainId;
  readonly state: DomainState;
  readonly processor: DomainProcessor | null;
}

/** Everything that happens to a guest. */
export type Input =
  | { readonly kind: 'tick' }
  /** The guests before it in the boot order are there. */
  | { readonly kind: 'released' }
  /** The hypervisor says that something happened to a domain. */
  | { readonly kind: 'changed'; readonly domain: DomainId }
  | {
      readonly kind: 'seen';
      readonly look: number;
      readonly found: Found | null;
    }
  | { readonly kind: 'look-failed'; readonly look: number; readonly why: string }
  | { readonly kind: 'started'; readonly domain: DomainId }
  | { readonly kind: 'start-failed'; readonly why: string }
  /** Its image is not what was signed, or its configuration cannot be: no domain was made. */
  | { readonly kind: 'start-refused'; readonly why: string }
  | { readonly kind: 'destroyed' }
  | { readonly kind: 'destroy-failed'; readonly why: string }
  | { readonly kind: 'probed'; readonly life: number; readonly probe: Probe }
  /** The operator wants it to be started anew. */
  | { readonly kind: 'restart' };

/** What an operator is told. */
export type Note =
  | { readonly kind: 'adopted'; readonly domain: DomainId }
  | { readonly kind: 'starting' }
  | { readonly kind: 'started'; readonly domain: DomainId }
  | { readonly kind: 'serving'; readonly domain: DomainId; readonly after: Milliseconds }
  | { readonly kind: 'unserved'; readonly domain: DomainId }
  /** It wants to run, and the host's processors are with others: its silence says nothing. */
  | { readonly kind: 'starved'; readonly domain: DomainId }
  | { readonly kind: 'refused'; readonly why: string }
  /** The hypervisor could not be asked, or did not do what it was asked. */
  | { readonly kind: 'trouble'; readonly why: string }
  /** It ended, or could not be started: it is tried again in `wait`. */
  | { readonly kind: 'fell'; readonly why: string; readonly wait: Milliseconds }
  | { readonly kind: 'stopping'; readonly domain: DomainId }
  | { readonly kind: 'destroying'; readonly domain: DomainId; readonly why: string };

/** Everything that a guest's supervisor is to do. A start or a destroy answers with one input. */
export type Output =
  | { readonly kind: 'look'; readonly look: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'ask-to-stop'; readonly domain: DomainId }
  | { readonly kind: 'destroy'; readonly domain: DomainId }
  | { readonly kind: 'probe'; readonly life: number }
  | { readonly kind: 'note'; readonly note: Note };

/** A guest of which nothing is known yet: what runs is found, and adopted. */
export function newGuest(patience: Patience, canBeAsked: boolean, now: Milliseconds): Guest {
  return {
    patience,
    canBeAsked,
    phase: { kind: 'unsure', until: now, condemned: null },
    history: neverRan,
    held: true,
    settled: false,
    look: null,
    looks: 0,
    lookAt: now,
    life: 0,
    probing: false,
    probeAt: now,
  };
}
