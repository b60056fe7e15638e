import { median } from '../statistics.ts';
import type { Beginning } from './beginning.ts';
import { type Name, names } from './contestant.ts';
import { type Findings, middle } from './findings.ts';

function row(title: string, cells: readonly string[]): string {
  return `${title.padEnd(64)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}

function numbers(
  title: string,
  digits: number,
  better: 'less' | 'more',
  of: (name: Name) => number,
): string {
  const [ours, c, ocaml] = [of('flotilla'), of('xenstored'), of('oxenstored')];
  const ratio = (theirs: number) => (better === 'less' ? theirs / ours : ours / theirs).toFixed(2);
  return row(title, [
    ...[ours, c, ocaml].map((value) => value.toFixed(digits)),
    ratio(c),
    ratio(ocaml),
  ]);
}

/** Lines of columns: each daemon's number, and how many times as good as the others' ours is. */
export function table({ loads, beginnings }: Findings): string[] {
  const beginning = (title: string, digits: number, of: (beginning: Beginning) => number) =>
    numbers(title, digits, 'less', (name) => median(beginnings[name].map(of)));
  return [
    row('', [...names, 'beside C', 'beside OCaml']),
    ...loads.flatMap(({ measure, rounds }) =>
      measure.readings.map((reading) =>
        numbers(`${measure.title}: ${reading.title}`, reading.digits, reading.better, (name) =>
          middle(rounds, name, reading),
        ),
      ),
    ),
    beginning('start-up: until it can be connected to, ms', 0, ({ took }) => took),
    beginning('start-up: memory, MiB', 1, ({ memory }) => memory),
  ];
}
