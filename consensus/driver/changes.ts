import { fail, ok, type Result } from '../../base/result.ts';
import type { Configuration } from '../core/configuration.ts';
import type { Entry, SnapshotMeta } from '../core/entry.ts';
import type { MemberId, Term } from '../core/ids.ts';
import type { MembershipChange, MembershipRefusal } from '../core/membership.ts';
import type { MembershipError } from '../replica.ts';
import type { NodeLimits } from './limits.ts';
import { noLeader } from './proposals.ts';
import { refusalSentence } from './refusals.ts';

/** A change that was asked for at this member, and whose outcome is open. */
interface Open {
  readonly change: MembershipChange;
  readonly deadline: number;
  readonly settle: (result: Result<Configuration, MembershipError>) => void;
}

/** As it was handed over: under this number, in this term. */
interface Handed extends Open {
  readonly term: Term;
}

/** A change as the core takes it. */
export interface NumberedChange {
  readonly number: number;
  readonly change: MembershipChange;
}

/**
 * The changes of the membership that were asked for at this member, from the call to the answer.
 * As with proposals, one that its term has lost never takes effect, and is handed over once more.
 */
export class ChangeBook {
  readonly #member: MemberId;
  readonly #limits: NodeLimits;
  readonly #nextNumber: () => number;
  readonly #handed = new Map<number, Handed>();
  #waiting: Open[] = [];
  #appliedTerm = 0;

  constructor(member: MemberId, limits: NodeLimits, nextNumber: () => number) {
    this.#member = member;
    this.#limits = limits;
    this.#nextNumber = nextNumber;
  }

  /** Takes a change up, or says why not. */
  request(change: MembershipChange, now: number): Promise<Result<Configuration, MembershipError>> {
    const count = this.#handed.size + this.#waiting.length;
    if (count >= this.#limits.pendingChangesMax) {
      const detail = `${count} changes of the membership wait already; try again later`;
      return Promise.resolve(fail({ code: 'overloaded', detail }));
    }
    return new Promise((settle) => {
      this.#waiting.push({ change, deadline: now + this.#limits.requestTimeout, settle });
    });
  }

  /** Whether something waits to be handed over. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * What waits, as handed over in this term from now on. The numbers are drawn only now, after
   * those of the proposals that are handed over before.
   */
  handOver(term: Term): readonly NumberedChange[] {
    return this.#waiting.splice(0).map((open) => {
      const number = this.#nextNumber();
      this.#handed.set(number, { ...open, term });
      return { number, change: open.change };
    });
  }

  /** Entries were applied here: some may be answers, and a later term has lost what was not. */
  applied(entries: readonly Entry[]): void {
    for (const { payload } of entries) {
      if (payload.kind !== 'configuration' || payload.proposal?.member !== this.#member) continue;
      this.#settle(payload.proposal.number, ok(payload.configuration));
    }
    const term = entries.at(-1)?.term ?? this.#appliedTerm;
    if (term === this.#appliedTerm) return;
    this.#appliedTerm = term;
    for (const [number, open] of this.#handed)
      if (open.term < term) {
        this.#handed.delete(number);
        this.#waiting.push(open);
      }
  }

  /** A snapshot was installed: it cannot be told what it contains of this member's changes. */
  replaced(snapshot: SnapshotMeta): void {
    this.#appliedTerm = snapshot.term;
    const detail = 'this member received a snapshot in which the change may be';
    for (const [number, open] of this.#handed)
      if (open.term <= snapshot.term)
        this.#settle(number, fail({ code: 'outcome-unknown', detail }));
  }

  /** The leader did not take it, and it had no effect. */
  refused(number: number, code: MembershipRefusal | 'no-leader'): void {
    const change = this.#handed.get(number)?.change;
    if (change === undefined) return;
    const error = code === 'no-leader' ? noLeader : { code, detail: refusalSentence(code, change) };
    this.#settle(number, fail(error));
  }

  /** Ends those whose time is up. */
  expire(now: number): void {
    const seconds = this.#limits.requestTimeout / 1000;
    const late: MembershipError = {
      code: 'no-leader',
      detail: `no leader was found within ${seconds} s`,
    };
    const unknown: MembershipError = {
      code: 'outcome-unknown',
      detail: `the leader did not answer within ${seconds} s; look at the list of the members`,
    };
    this.#end((open) => open.deadline <= now, late, unknown);
  }

  /** Ends all: what was handed over may yet take effect, the rest did not. */
  abandon(error: MembershipError): void {
    this.#end(() => true, error, { code: 'outcome-unknown', detail: error.detail });
  }

  #end(chosen: (open: Open) => boolean, waiting: MembershipError, handed: MembershipError): void {
    const ended = this.#waiting.filter(chosen);
    this.#waiting = this.#waiting.filter((open) => !ended.includes(open));
    for (const open of ended) open.settle(fail(waiting));
    for (const [number, open] of this.#handed) if (chosen(open)) this.#settle(number, fail(handed));
  }

  #settle(number: number, result: Result<Configuration, MembershipError>): void {
    const open = this.#handed.get(number);
    this.#handed.delete(number);
    open?.settle(result);
  }
}
