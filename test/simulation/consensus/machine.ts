import { ok, type Result } from '../../../base/result.ts';
import type { LogIndex } from '../../../consensus/core/ids.ts';
import type { StoreReply } from '../../../consensus/kv/reply.ts';
import type { StateMachine } from '../../../consensus/replica.ts';
import { Violation } from './violation.ts';

/** What a state machine answers: where the command was applied, and what the store said. */
export interface Applied {
  readonly index: number;
  /** Null where the state machine is a chain. */
  readonly reply: StoreReply | null;
}

/** A sum over every command, so that two machines agree on the past if they agree on it. */
export interface Chain {
  readonly index: number;
  readonly count: number;
  readonly sum: number;
}

/** The chain before the first command. */
export const emptyChain: Chain = { index: 0, count: 0, sum: 0 };

/** The chain with one more command. */
export function link(chain: Chain, index: number, command: Uint8Array): Chain {
  let { sum } = chain;
  for (const byte of command) sum = (Math.imul(sum, 31) + byte) | 0;
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

/** How a chain is written at the beginning of a snapshot. */
export function writeChain(chain: Chain, forgetful: boolean): Uint8Array {
  return Buffer.from(JSON.stringify({ ...chain, count: chain.count - (forgetful ? 1 : 0) }));
}

/** Reads it back. */
export function readChain(chunk: Uint8Array): Chain {
  return JSON.parse(Buffer.from(chunk).toString());
}

/** A state machine that is nothing but the chain of its commands, padded to be worth a transfer. */
export class ChainMachine implements StateMachine<Applied> {
  readonly #past: SharedPast;
  /** A bug that can be seeded: forgets one command in a snapshot. */
  readonly #forgetful: boolean;
  chain = emptyChain;

  constructor(past: SharedPast, forgetful: boolean) {
    this.#past = past;
    this.#forgetful = forgetful;
  }

  apply(index: LogIndex, command: Uint8Array): Applied {
    this.chain = link(this.chain, index, command);
    this.#past.check(this.chain);
    return { index, reply: null };
  }

  snapshot(): Iterable<Uint8Array> {
    return [writeChain(this.chain, this.#forgetful), Buffer.alloc(150_000)];
  }

  restore(chunks: Iterable<Uint8Array>): Result<void, string> {
    const [first] = chunks;
    this.chain = readChain(first ?? Buffer.alloc(0));
    this.#past.check(this.chain);
    return ok(undefined);
  }
}
