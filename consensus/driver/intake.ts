import type { Random } from '../../base/random.ts';
import { milliseconds } from '../../base/units.ts';
import type { MemberId, Term } from '../core/ids.ts';
import type { Input } from '../core/input.ts';
import type { Clock } from '../ports.ts';
import type { ReadBarriers } from './barriers.ts';
import type { ChangeBook } from './changes.ts';
import type { NodeLimits } from './limits.ts';
import type { Extent } from './pace.ts';
import type { ProposalBook } from './proposals.ts';

/** What the intake is made of. */
export interface IntakeParts<Reply> {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: NodeLimits;
  readonly proposals: ProposalBook<Reply>;
  readonly changes: ChangeBook;
  readonly barriers: ReadBarriers;
}

/** Who leads, as far as the member knows, and when. */
export interface Leading {
  readonly leader: MemberId | null;
  readonly term: Term;
}

/** What goes into a member's next step: what has arrived, what was asked for here, and the time. */
export class Intake<Reply> {
  readonly #parts: IntakeParts<Reply>;
  #arrived: Input[] = [];
  #elapsed = 0;
  #lastTick: number;

  constructor(parts: IntakeParts<Reply>) {
    this.#parts = parts;
    this.#lastTick = parts.clock.now();
  }

  /** Something has arrived. */
  push(input: Input): void {
    this.#arrived.push(input);
  }

  /** A stall of this process is not counted as silence of the leader: a tick has a most. */
  passTime(now: number): void {
    const most = 2 * this.#parts.limits.tickInterval;
    this.#elapsed += Math.min(now - this.#lastTick, most);
    this.#lastTick = now;
  }

  /** Whether proposals, changes or reads of this member wait for a step to take them. */
  get hasWaiting(): boolean {
    const { proposals, changes, barriers } = this.#parts;
    return proposals.hasWaiting || changes.hasWaiting || barriers.hasWaiting;
  }

  /**
   * Proposals first, in the term that they are noted with; time last, after what has arrived. What was
   * asked for here gathers for a turn of the loop, so that much of it shares a write or a question.
   * While no leader is known it waits for one, as long as a request may take (SPEC R62).
   */
  gather(extent: Extent, { leader, term }: Leading): readonly Input[] {
    const { clock, random, proposals, changes, barriers } = this.#parts;
    const inputs: Input[] = [];
    const isServed = extent === 'all' && leader !== null;
    if (isServed) {
      const handed = proposals.handOver(term);
      if (handed.length > 0) inputs.push({ kind: 'propose', proposals: handed });
      for (const change of changes.handOver(term)) inputs.push({ kind: 'change', ...change });
    }
    inputs.push(...this.#arrived);
    this.#arrived = [];
    const read = isServed ? barriers.ask(clock.now()) : null;
    if (read !== null) inputs.push({ kind: 'read', id: read });
    if (extent === 'all' && this.#elapsed > 0) {
      const jitter = random.below(2 ** 32) / 2 ** 32;
      inputs.push({ kind: 'tick', elapsed: milliseconds(this.#elapsed), jitter });
      this.#elapsed = 0;
    }
    return inputs;
  }
}
