import { fail, ok, type Result } from '../../base/result.ts';
import type { MemberId, Term } from '../core/ids.ts';
import type { Raft } from '../core/raft.ts';
import { transferRefusal } from '../core/transfer.ts';
import type { MembershipError } from '../replica.ts';
import type { NodeLimits } from './limits.ts';
import { noLeader } from './proposals.ts';
import { refusalSentence } from './refusals.ts';

interface Open {
  readonly to: MemberId;
  readonly term: Term;
  readonly deadline: number;
  readonly settle: (result: Result<void, MembershipError>) => void;
}

/** The one transfer of the leadership that was asked for at this member and is not done yet. */
export class Handover {
  readonly #limits: NodeLimits;
  #open: Open | null = null;

  constructor(limits: NodeLimits) {
    this.#limits = limits;
  }

  /** Why the leadership cannot be handed to `to` now; null if it can. */
  refusal(raft: Raft, to: MemberId): MembershipError | null {
    const code = this.#open === null ? transferRefusal(raft, to) : 'not-ready';
    switch (code) {
      case null:
        return null;
      case 'no-leader':
        return raft.leader === null ? noLeader : { code, detail: elsewhere(raft.leader) };
      case 'member-not-found':
        return { code, detail: `member ${to} has no vote in this pool, so it cannot lead` };
      case 'not-ready':
      case 'not-caught-up':
        return { code, detail: refusalSentence(code, { member: to }) };
    }
  }

  /** Waits for `to` to lead. The core is told of the transfer before it takes its next step. */
  wait(raft: Raft, to: MemberId, now: number): Promise<Result<void, MembershipError>> {
    const deadline = now + this.#limits.requestTimeout;
    return new Promise((settle) => {
      this.#open = { to, term: raft.term, deadline, settle };
    });
  }

  /** The core has taken a step. */
  stepped({ leader, leadership, term }: Raft): void {
    const open = this.#open;
    if (open === null) return;
    if (leader === open.to) this.#settle(ok(undefined));
    else if (leadership !== null && term === open.term) {
      if (leadership.transfer?.to !== open.to)
        this.#fail(`member ${open.to} did not come forward in time, and the leader goes on`);
    } else if (leader !== null) this.#fail(elsewhere(leader));
  }

  /** Ends it if its time is up. */
  expire(now: number): void {
    const seconds = this.#limits.requestTimeout / 1000;
    if (this.#open !== null && this.#open.deadline <= now)
      this.#fail(`nobody was seen to lead within ${seconds} s`);
  }

  /** Ends it. */
  abandon(error: MembershipError): void {
    this.#fail(error.detail);
  }

  #fail(detail: string): void {
    this.#settle(fail({ code: 'outcome-unknown', detail }));
  }

  #settle(result: Result<void, MembershipError>): void {
    this.#open?.settle(result);
    this.#open = null;
  }
}

function elsewhere(leader: MemberId): string {
  return `member ${leader} leads`;
}
