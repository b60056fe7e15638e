import type { Result } from '../../../base/result.ts';
import type { ReplicaError } from '../../../consensus/replica.ts';
import type { Applied } from './machine.ts';
import type { SafetyChecks } from './safety-checks.ts';
import { Violation } from './violation.ts';

/**
 * What clients saw. Every write has a place in the one log, and a read sees a prefix of it; so the
 * history is linearizable if every operation's place is after those of the operations that had
 * ended before it began.
 */
export class ClientHistory {
  /** The highest place that any ended operation has shown. */
  #floor = 0;
  readonly #acknowledged = new Map<string, number>();
  readonly #refused = new Set<string>();
  writes = 0;
  reads = 0;

  /** What an operation that begins now must at least see. */
  get floor(): number {
    return this.#floor;
  }

  writeEnded(command: string, floor: number, result: Result<Applied, ReplicaError>): void {
    if (!result.ok) {
      if (result.error.code !== 'outcome-unknown') this.#refused.add(command);
      return;
    }
    const { index } = result.value;
    if (index <= floor)
      throw new Violation(`linearizability: "${command}" went to ${index}, before ${floor}`);
    this.writes += 1;
    this.#acknowledged.set(command, index);
    this.#floor = Math.max(this.#floor, index);
  }

  readEnded(member: number, floor: number, seen: number): void {
    if (seen < floor)
      throw new Violation(
        `linearizability: a read at member ${member} saw ${seen}, but ${floor} had been seen`,
      );
    this.reads += 1;
    this.#floor = Math.max(this.#floor, seen);
  }

  /** At the end: what was promised is there, once, and what was refused is not. */
  finish(checks: SafetyChecks): void {
    const places = new Map<string, number>();
    for (const [position, { what, payload }] of checks.committed.entries()) {
      if (payload.kind !== 'command') continue;
      if (places.has(what)) throw new Violation(`"${what}" took effect twice`);
      places.set(what, position + 1);
      if (this.#refused.has(what)) throw new Violation(`"${what}" was refused and took effect`);
    }
    for (const [command, index] of this.#acknowledged)
      if (places.get(command) !== index)
        throw new Violation(`"${command}" was acknowledged at ${index} and is not there`);
  }
}
