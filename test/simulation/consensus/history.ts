import { ok, type Result } from '../../../base/result.ts';
import type { LogIndex } from '../../../consensus/core/ids.ts';
import type { ReplicaError, StateMachine } from '../../../consensus/replica.ts';
import { type SafetyChecks, Violation } from './checks.ts';

/** What the state machine answers: where the command was applied. */
export interface Applied {
  readonly index: number;
}

/** A chain over every command, so that two machines agree on the past if they agree on it. */
interface Chain {
  readonly index: number;
  readonly count: number;
  readonly sum: number;
}

function link(chain: Chain, index: number, command: string): Chain {
  let sum = chain.sum;
  for (let i = 0; i < command.length; i += 1)
    sum = (Math.imul(sum, 31) + command.charCodeAt(i)) | 0;
  return { index, count: chain.count + 1, sum };
}

/** What each state machine must be after each index, whichever way it came there. */
export class SharedPast {
  readonly #chains = new Map<number, Chain>();

  check(chain: Chain): void {
    const known = this.#chains.get(chain.index);
    if (known === undefined) this.#chains.set(chain.index, chain);
    else if (known.sum !== chain.sum || known.count !== chain.count)
      throw new Violation(`state machines differ after entry ${chain.index}`);
  }
}

/** A state machine that is nothing but the chain of its commands, padded to be worth a transfer. */
export class ChainMachine implements StateMachine<Applied> {
  readonly #past: SharedPast;
  /** A bug that can be seeded: forgets one command in a snapshot. */
  readonly #forgetful: boolean;
  chain: Chain = { index: 0, count: 0, sum: 0 };

  constructor(past: SharedPast, forgetful: boolean) {
    this.#past = past;
    this.#forgetful = forgetful;
  }

  apply(index: LogIndex, command: Uint8Array): Applied {
    this.chain = link(this.chain, index, Buffer.from(command).toString());
    this.#past.check(this.chain);
    return { index };
  }

  snapshot(): Iterable<Uint8Array> {
    const count = this.chain.count - (this.#forgetful ? 1 : 0);
    return [Buffer.from(JSON.stringify({ ...this.chain, count })), Buffer.alloc(150_000)];
  }

  restore(chunks: Iterable<Uint8Array>): Result<void, string> {
    const [first] = chunks;
    this.chain = JSON.parse(Buffer.from(first ?? []).toString());
    this.#past.check(this.chain);
    return ok(undefined);
  }
}

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
    for (const [position, { what }] of checks.committed.entries()) {
      if (what === 'noop') continue;
      if (places.has(what)) throw new Violation(`"${what}" took effect twice`);
      places.set(what, position + 1);
      if (this.#refused.has(what)) throw new Violation(`"${what}" was refused and took effect`);
    }
    for (const [command, index] of this.#acknowledged)
      if (places.get(command) !== index)
        throw new Violation(`"${command}" was acknowledged at ${index} and is not there`);
  }
}
