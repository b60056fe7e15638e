import type { Outcome } from './simulation.ts';

/** What is added up over the seeds. */
const counted = {
  step: 'steps',
  crashes: 'crashes',
  changes: 'changes of the membership',
  writes: 'writes',
  reads: 'reads',
  watchEvents: 'watch events',
  leases: 'leases',
} as const;

type Counted = keyof typeof counted;

/** What a batch of seeds has shown so far. */
export class Summary {
  readonly #sums = new Map<Counted, number>();
  readonly #failed: Outcome[] = [];
  seeds = 0;
  undecided = 0;

  add(outcome: Outcome): void {
    this.seeds += 1;
    this.undecided += outcome.undecided;
    for (const name of names()) this.#sums.set(name, this.sum(name) + outcome[name]);
    if (outcome.violation !== null) this.#failed.push(outcome);
  }

  sum(name: Counted): number {
    return this.#sums.get(name) ?? 0;
  }

  /** The failed seeds, lowest first. */
  get failed(): readonly Outcome[] {
    return this.#failed.toSorted((a, b) => a.seed - b.seed);
  }

  /** One line: what was run. */
  toString(): string {
    const sums = [...names()].map((name) => `${this.sum(name)} ${counted[name]}`);
    const undecided = this.undecided === 0 ? '' : `, ${this.undecided} histories undecided`;
    return `${this.seeds} seeds: ${sums.join(', ')}${undecided}`;
  }
}

function names(): readonly Counted[] {
  return Object.keys(counted).filter((name): name is Counted => name in counted);
}

/** What to do about a failed seed, and what led to it. */
export function report(outcome: Outcome, bug: string | null): string {
  const { seed, step, violation, trace } = outcome;
  const option = bug === null ? '' : ` --bug ${bug}`;
  return [
    ...trace.slice(-40),
    `seed ${seed} failed at step ${step}: ${violation}`,
    `run it again: npm run sim -- consensus --seed ${seed} --seeds 1${option}`,
  ].join('\n');
}
