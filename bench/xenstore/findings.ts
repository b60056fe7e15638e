import { median } from '../statistics.ts';
import type { Beginning } from './beginning.ts';
import type { Name } from './contestant.ts';
import type { Output } from './load.ts';
import type { Measure, Reading } from './measures.ts';

/** What a scenario printed in each round, by daemon. */
export type Rounds = Readonly<Record<Name, readonly Output[]>>;

/** A measure and what its rounds gave. */
export interface Measured {
  readonly measure: Measure;
  readonly rounds: Rounds;
}

/** Everything that a run has found. */
export interface Findings {
  readonly loads: readonly Measured[];
  readonly beginnings: Readonly<Record<Name, readonly Beginning[]>>;
}

/** The median of a reading over the rounds. */
export function middle(rounds: Rounds, name: Name, { of }: Reading): number {
  return median(rounds[name].map(of));
}

/** The median of one reading, by the titles of a measure and of what is read there. */
export function found(
  { loads }: Findings,
  title: string,
  reading: string,
): Readonly<Record<Name, number>> {
  const load = loads.find(({ measure }) => measure.title === title);
  const wanted = load?.measure.readings.find((one) => one.title === reading);
  if (load === undefined || wanted === undefined)
    throw new Error(`${title}, ${reading} was not measured`);
  const of = (name: Name) => middle(load.rounds, name, wanted);
  return { flotilla: of('flotilla'), xenstored: of('xenstored'), oxenstored: of('oxenstored') };
}
