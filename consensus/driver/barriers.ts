import { fail, ok, type Result } from '../../base/result.ts';
import type { LogIndex } from '../core/ids.ts';
import type { RefusalReason } from '../core/output.ts';
import type { ReplicaError } from '../replica.ts';
import type { NodeLimits } from './limits.ts';

interface Caller {
  readonly deadline: number;
  readonly settle: (result: Result<void, ReplicaError>) => void;
}

/** A question to the leader, on behalf of several callers. */
interface Question {
  readonly id: number;
  readonly callers: readonly Caller[];
  readonly asked: number;
}

/**
 * Callers of `readBarrier`. They share questions to the leader: while one is open, those who come
 * wait for the next, because an answer holds only for who asked before it.
 */
export class ReadBarriers {
  readonly #limits: NodeLimits;
  readonly #nextId: () => number;
  #arriving: Caller[] = [];
  #question: Question | null = null;
  #answered: { readonly index: LogIndex; readonly callers: readonly Caller[] }[] = [];
  #count = 0;

  constructor(limits: NodeLimits, nextId: () => number) {
    this.#limits = limits;
    this.#nextId = nextId;
  }

  /** Waits for everything that is committed by now to be applied here. */
  wait(now: number): Promise<Result<void, ReplicaError>> {
    if (this.#count >= this.#limits.pendingReadsMax) {
      const detail = `${this.#count} reads wait already; try again later`;
      return Promise.resolve(fail({ code: 'overloaded', detail }));
    }
    this.#count += 1;
    return new Promise((settle) => {
      this.#arriving.push({ deadline: now + this.#limits.requestTimeout, settle });
    });
  }

  /** Whether nobody waits for an answer of the leader. */
  get isIdle(): boolean {
    return this.#question === null && this.#arriving.length === 0;
  }

  /** Whether there is something to ask, and nothing under way. */
  get hasWaiting(): boolean {
    return this.#question === null && this.#arriving.length > 0;
  }

  /** The id to ask the leader about now, or null if there is nothing to ask. */
  ask(now: number): number | null {
    if (this.#question !== null) {
      if (now - this.#question.asked < this.#limits.readRetry) return null;
      this.askAnew();
    }
    if (this.#arriving.length === 0) return null;
    this.#question = { id: this.#nextId(), callers: this.#arriving, asked: now };
    this.#arriving = [];
    return this.#question.id;
  }

  /** The leader has answered: the callers wait until this is applied. */
  answer(id: number, index: LogIndex): void {
    if (this.#question?.id !== id) return;
    this.#answered.push({ index, callers: this.#question.callers });
    this.#question = null;
  }

  /** Everything up to `index` is applied. */
  applied(index: LogIndex): void {
    const done = this.#answered.filter((item) => item.index <= index);
    if (done.length === 0) return;
    this.#answered = this.#answered.filter((item) => item.index > index);
    for (const { callers } of done) this.#settle(callers, ok(undefined));
  }

  /** Another leads, or nobody does: who has no answer asks again. */
  askAnew(): void {
    if (this.#question === null) return;
    this.#arriving = [...this.#question.callers, ...this.#arriving];
    this.#question = null;
  }

  /** The question was not taken: for want of a leader it is kept for the next, for want of room it ends. */
  refused(id: number, reason: RefusalReason): void {
    if (this.#question?.id !== id) return;
    this.askAnew();
    if (reason === 'overloaded') this.#settle(this.#arriving.splice(0), fail(leaderOverloaded));
  }

  /** Ends all. */
  abandon(error: ReplicaError): void {
    this.askAnew();
    this.#settle(this.#arriving.splice(0), fail(error));
    for (const { callers } of this.#answered.splice(0)) this.#settle(callers, fail(error));
  }

  /** Ends those whose time is up, also those who have an answer that is not applied here. */
  expire(now: number): void {
    const seconds = this.#limits.requestTimeout / 1000;
    const detail = `no leader has confirmed the read within ${seconds} s`;
    const question = this.#question;
    if (question !== null)
      this.#question = { ...question, callers: this.#expired(question.callers, now, detail) };
    this.#arriving = this.#expired(this.#arriving, now, detail);
    // A member whose disk is full is not sent all that it would have to apply.
    const behind = `this member has not applied what was committed before the read within ${seconds} s`;
    this.#answered = this.#answered
      .map((item) => ({ ...item, callers: this.#expired(item.callers, now, behind) }))
      .filter(({ callers }) => callers.length > 0);
  }

  #expired(callers: readonly Caller[], now: number, detail: string): Caller[] {
    const late = callers.filter((caller) => caller.deadline <= now);
    if (late.length === 0) return [...callers];
    this.#settle(late, fail({ code: 'no-leader', detail }));
    return callers.filter((caller) => caller.deadline > now);
  }

  #settle(callers: readonly Caller[], result: Result<void, ReplicaError>): void {
    this.#count -= callers.length;
    for (const caller of callers) caller.settle(result);
  }
}

const leaderOverloaded: ReplicaError = {
  code: 'overloaded',
  detail: 'too many reads wait at the leader already; try again later',
};
