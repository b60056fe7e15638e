import { explanationOf } from '../../linearizability/checker.ts';
import type {
  KeyValueInput,
  KeyValueOperation,
  KeyValueOutput,
} from '../../linearizability/key-value.ts';
import { checkKeyValueHistory } from '../../linearizability/key-value-history.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** An operation that a client has begun. Until it is told more, its outcome is not known. */
export interface Call {
  ended(output: KeyValueOutput): void;
  /** It certainly had no effect. */
  refused(): void;
}

/** Steps of the search for an order, for each group of keys. */
const searchMax = 200_000;

/** What clients of the store saw, to be checked for linearizability at the end. */
export class Recorder {
  readonly #world: World;
  readonly #open = new Set<KeyValueOperation>();
  readonly #ended: KeyValueOperation[] = [];
  writes = 0;
  reads = 0;
  /** Parts of the history for which the search was too long. */
  undecided = 0;

  constructor(world: World) {
    this.#world = world;
  }

  begin(process: string, input: KeyValueInput): Call {
    const invoked = this.#world.steps;
    const open: KeyValueOperation = { process, invoked, returned: null, input, output: null };
    this.#open.add(open);
    return {
      ended: (output) => {
        this.#open.delete(open);
        this.#ended.push({ ...open, returned: this.#world.steps, output });
        if (output.replies.every(({ kind }) => kind === 'get')) this.reads += 1;
        else this.writes += 1;
      },
      refused: () => {
        this.#open.delete(open);
      },
    };
  }

  /** At the end: the whole history must be linearizable. Times are steps of the simulation. */
  finish(): void {
    const verdict = checkKeyValueHistory([...this.#ended, ...this.#open], searchMax);
    if (verdict.kind === 'not-linearizable')
      throw new Violation(`linearizability: ${explanationOf(verdict)}`);
    if (verdict.kind === 'undecided') this.undecided += 1;
  }
}
