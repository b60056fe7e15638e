import { fail, ok, type Result } from '../../base/result.ts';
import type { Entry, Proposal, SnapshotMeta } from '../core/entry.ts';
import type { MemberId, Term } from '../core/ids.ts';
import type { RefusalReason } from '../core/output.ts';
import type { ReplicaError } from '../replica.ts';
import type { NodeLimits } from './limits.ts';

/** A proposal of this member whose outcome is open. */
interface Open<Reply> {
  readonly command: Uint8Array;
  readonly deadline: number;
  readonly settle: (result: Result<Reply, ReplicaError>) => void;
  /** The term in which it was handed over; null while it waits for a leader. */
  handedIn: Term | null;
}

/**
 * The proposals of this member from the call to the answer.
 *
 * A proposal is taken into the log only in the term in which it was handed over. So once an entry
 * of a later term is applied, what was handed over before and has not been applied never will be:
 * it may be proposed again, without the danger of taking effect twice.
 */
export class ProposalBook<Reply> {
  readonly #member: MemberId;
  readonly #limits: NodeLimits;
  readonly #nextNumber: () => number;
  readonly #open = new Map<number, Open<Reply>>();
  #waiting: number[] = [];
  /** Not taken, for want of a leader or by one that hands over: they would not be taken now either. */
  #resting: number[] = [];
  #bytes = 0;
  #appliedTerm = 0;

  constructor(member: MemberId, limits: NodeLimits, nextNumber: () => number) {
    this.#member = member;
    this.#limits = limits;
    this.#nextNumber = nextNumber;
  }

  /** Takes a command up, or says why not. */
  propose(command: Uint8Array, now: number): Promise<Result<Reply, ReplicaError>> {
    const limits = this.#limits;
    if (command.byteLength > limits.commandBytesMax) {
      const detail = `the command has ${command.byteLength} bytes, the largest allowed has ${limits.commandBytesMax}`;
      return Promise.resolve(fail({ code: 'too-large', detail }));
    }
    const full =
      this.#open.size >= limits.pendingProposalsMax ||
      this.#bytes + command.byteLength > limits.pendingBytesMax;
    if (full) return Promise.resolve(fail(overloaded));
    return new Promise((settle) => {
      const deadline = now + limits.requestTimeout;
      this.#bytes += command.byteLength;
      this.#enqueue({ command, deadline, settle, handedIn: null });
    });
  }

  /** Whether nothing of this member's is open. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /** Whether something waits to be handed over. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Time has passed, or another leads: what was not taken before waits to be handed over again. It is
   * last in line, since a leader takes no number below one that it has seen.
   */
  retry(): void {
    for (const number of this.#resting.splice(0)) this.#again(number);
  }

  /** What waits, as handed over in this term from now on. */
  handOver(term: Term): readonly Proposal[] {
    const proposals: Proposal[] = [];
    for (const number of this.#waiting) {
      const open = this.#open.get(number);
      if (open === undefined) continue;
      open.handedIn = term;
      proposals.push({ id: { member: this.#member, number }, command: open.command });
    }
    this.#waiting = [];
    return proposals;
  }

  /** An entry was applied here with this outcome. */
  applied(proposal: Proposal, reply: Reply): void {
    if (proposal.id.member === this.#member) this.#settle(proposal.id.number, ok(reply));
  }

  /** Entries up to this one were applied: what an earlier term has lost is proposed again. */
  advanced(last: Entry): void {
    if (last.term === this.#appliedTerm) return;
    this.#appliedTerm = last.term;
    for (const [number, { handedIn }] of this.#open)
      if (handedIn !== null && handedIn < last.term) this.#again(number);
  }

  /** A snapshot was installed: it cannot be told what it contains of this member's proposals. */
  replaced(snapshot: SnapshotMeta): void {
    this.#appliedTerm = snapshot.term;
    const detail = 'this member received a snapshot in which the command may be';
    for (const [number, open] of this.#open)
      if (open.handedIn !== null && open.handedIn <= snapshot.term)
        this.#settle(number, fail({ code: 'outcome-unknown', detail }));
  }

  /** It was not taken, and had no effect: it waits for another leader unless there is no room. */
  refused(number: number, reason: RefusalReason): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    switch (reason) {
      case 'overloaded':
        this.#settle(number, fail(overloaded));
        return;
      case 'no-leader':
      case 'transferring':
        open.handedIn = null;
        this.#resting.push(number);
    }
  }

  /** Ends those whose time is up. */
  expire(now: number): void {
    const seconds = this.#limits.requestTimeout / 1000;
    for (const [number, open] of this.#open) {
      if (open.deadline > now) continue;
      const error: ReplicaError =
        open.handedIn === null
          ? { code: 'no-leader', detail: `no leader was found within ${seconds} s` }
          : { code: 'outcome-unknown', detail: `the leader did not answer within ${seconds} s` };
      this.#settle(number, fail(error));
    }
  }

  /** Ends all: what was handed over may yet take effect, the rest did not. */
  abandon(error: ReplicaError): void {
    for (const [number, open] of this.#open) {
      const unknown: ReplicaError = { code: 'outcome-unknown', detail: error.detail };
      this.#settle(number, fail(open.handedIn === null ? error : unknown));
    }
  }

  /** Proposes under a new number what had no effect under this one. */
  #again(number: number): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    this.#enqueue({ ...open, handedIn: null });
  }

  #enqueue(open: Open<Reply>): void {
    const number = this.#nextNumber();
    this.#open.set(number, open);
    this.#waiting.push(number);
  }

  #settle(number: number, result: Result<Reply, ReplicaError>): void {
    const open = this.#open.get(number);
    if (open === undefined) return;
    this.#open.delete(number);
    this.#bytes -= open.command.byteLength;
    open.settle(result);
  }
}

/** Nothing was sent, because it is not known to whom. A change of the membership does not wait. */
export const noLeader: ReplicaError = {
  code: 'no-leader',
  detail: 'no leader is known now: a majority of the members must be running and connected',
};

const overloaded: ReplicaError = {
  code: 'overloaded',
  detail: 'too many proposals wait already; try again later',
};
