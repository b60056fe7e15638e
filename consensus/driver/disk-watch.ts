import type { MemberId } from '../core/ids.ts';
import type { Raft } from '../core/raft.ts';
import { successorOf } from '../core/transfer.ts';
import type { StoreError } from '../ports.ts';
import type { ReplicaError } from '../replica.ts';
import type { NodeLimits } from './limits.ts';
import type { DiskState } from './writer.ts';

/** How the disk is, and what follows from that: nothing is proposed, and somebody else leads. */
export class DiskWatch {
  readonly #limits: NodeLimits;
  state: DiskState = 'good';
  error: StoreError | null = null;
  #handOverFrom = 0;

  constructor(limits: NodeLimits) {
    this.#limits = limits;
  }

  /** The disk is different now. */
  changed(state: DiskState, error: StoreError | null): void {
    this.state = state;
    this.error = error;
    this.#handOverFrom = 0;
  }

  /** Why nothing is proposed here; null while the disk takes writes. */
  get refusal(): ReplicaError | null {
    if (this.state === 'good') return null;
    return { code: 'read-only', detail: this.error?.detail ?? 'the disk takes no writes' };
  }

  /** Whom a leader that cannot write hands over to now: it tries, and after a while again. */
  successor(raft: Raft, now: number): MemberId | null {
    const { leadership } = raft;
    if (this.state === 'good' || leadership === null || leadership.transfer !== null) return null;
    if (now < this.#handOverFrom) return null;
    this.#handOverFrom = now + this.#limits.handOverRetry;
    return successorOf(raft);
  }
}
