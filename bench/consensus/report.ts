import { median } from '../statistics.ts';
import type { Memory } from '../usage.ts';
import type { Name } from './contestant.ts';
import { type Measure, middle, type Rounds } from './rounds.ts';

/** A measure and what its rounds gave. */
export interface Measured {
  readonly measure: Measure;
  readonly rounds: Rounds;
}

/** What the members held after the same puts, the leader first: at once, and after a rest. */
export interface MemoryAfter {
  readonly puts: number;
  readonly busy: Readonly<Record<Name, readonly Memory[]>>;
  readonly members: Readonly<Record<Name, readonly Memory[]>>;
}

/** Everything that a run has found. */
export interface Findings {
  readonly loads: readonly Measured[];
  readonly memory: readonly MemoryAfter[];
  /** The longest gap of each fail-over, in milliseconds. */
  readonly gaps: Readonly<Record<Name, readonly number[]>>;
}

const milli = (microseconds: number): string => (microseconds / 1000).toFixed(2);

function row(title: string, cells: readonly string[]): string {
  return `${title.padEnd(50)}${cells.map((cell) => cell.padStart(10)).join('')}`;
}

/** Lines of columns: ours, etcd's, and ours in relation to it. */
export function loadTable(loads: readonly Measured[]): string[] {
  const head = [
    row('', ['flotilla', '', '', 'etcd', '', '', 'ours/etcd', '']),
    row('', ['ops/s', 'p50 ms', 'p99 ms', 'ops/s', 'p50 ms', 'p99 ms', 'ops/s', 'p50']),
  ];
  const lines = loads.map(({ measure, rounds }) => {
    const [ours, theirs] = [middle(rounds.flotilla), middle(rounds.etcd)];
    return row(measure.title, [
      ...[ours, theirs].flatMap(({ perSecond, p50, p99 }) => [
        perSecond.toFixed(0),
        milli(p50),
        milli(p99),
      ]),
      (ours.perSecond / theirs.perSecond).toFixed(2),
      (ours.p50 / theirs.p50).toFixed(2),
    ]);
  });
  return [...head, ...lines];
}

/** Lines with the processor time of each operation. */
export function cpuTable(loads: readonly Measured[]): string[] {
  const head = row('processor time, us for each operation', [
    ...['ours lead', 'follow', 'etcd lead', 'follow'],
  ]);
  const lines = loads.map(({ measure, rounds }) => {
    const cells = [middle(rounds.flotilla), middle(rounds.etcd)].flatMap((one) => [
      one.leaderCpu.toFixed(0),
      one.followerCpu.toFixed(0),
    ]);
    return row(measure.title, cells);
  });
  return [head, ...lines];
}

/** Lines about memory. */
export function memoryTable(memory: readonly MemoryAfter[]): string[] {
  const lines = memory.flatMap(({ puts, busy, members }) =>
    (['flotilla', 'etcd'] as const).flatMap((name) => {
      const cells = (of: readonly Memory[]) =>
        of.map(({ rss, pss }) => `${rss.toFixed(0)}/${pss.toFixed(0)}`);
      return [
        row(`${name} at the end of ${puts} puts`, cells(busy[name])),
        row(`${name} after ${puts} puts, at rest`, cells(members[name])),
      ];
    }),
  );
  return [row('memory, MiB, RSS/PSS', ['leader', 'follower', 'follower']), ...lines];
}

/** Lines about fail-overs. */
export function gapTable(gaps: Findings['gaps']): string[] {
  const lines = (['flotilla', 'etcd'] as const).map((name) => {
    const seconds = [Math.min(...gaps[name]), median(gaps[name]), Math.max(...gaps[name])];
    return row(
      `${name}, ${gaps[name].length} times`,
      seconds.map((gap) => `${gap.toFixed(0)} ms`),
    );
  });
  return [row('leader killed: longest gap of a client', ['least', 'median', 'most']), ...lines];
}

/** What the pool database is to reach beside etcd, and whether this run has found it so. */
export function targetLines({ loads, memory, gaps }: Findings): string[] {
  const of = (title: string) => {
    const found = loads.find(({ measure }) => measure.title === title);
    if (found === undefined) throw new Error(`${title} was not measured`);
    return { ours: middle(found.rounds.flotilla), theirs: middle(found.rounds.etcd) };
  };
  const line = (met: boolean, text: string) => `  ${met ? 'met   ' : 'MISSED'}  ${text}`;
  const latency = [1, 10].map((inFlight) => {
    const { ours, theirs } = of(`put, ${inFlight} in flight`);
    const found = `${milli(ours.p50)} against ${milli(theirs.p50)} ms`;
    return line(ours.p50 <= theirs.p50, `put p50 at ${inFlight} no worse: ${found}`);
  });
  const throughput = [100, 1000].map((inFlight) => {
    const { ours, theirs } = of(`put, ${inFlight} in flight`);
    const ratio = ours.perSecond / theirs.perSecond;
    return line(ratio >= 0.5, `puts/s at ${inFlight} at least half: ${ratio.toFixed(2)}`);
  });
  const reads = [1, 10, 100, 1000].map((inFlight) => {
    const { ours, theirs } = of(`linearizable read, ${inFlight} in flight`);
    const ratio = ours.perSecond / theirs.perSecond;
    return line(ratio >= 1, `linearizable reads/s at ${inFlight} no worse: ${ratio.toFixed(2)}`);
  });
  const [middleGap, worst] = [median(gaps.flotilla), Math.max(...gaps.flotilla)];
  const most = (name: Name, after: MemoryAfter) =>
    Math.max(...after.members[name].map(({ rss }) => rss));
  return [
    ...latency,
    ...throughput,
    ...reads,
    line(middleGap < 500, `fail-over below 500 ms at the median: ${middleGap.toFixed(0)} ms`),
    line(worst <= 1500, `no fail-over above 1.5 s: ${worst.toFixed(0)} ms`),
    ...memory.map((after) => {
      const [ours, theirs] = [most('flotilla', after), most('etcd', after)];
      const found = `${ours.toFixed(0)} against ${theirs.toFixed(0)} MiB`;
      return line(ours <= theirs, `memory after ${after.puts} puts no more: ${found}`);
    }),
  ];
}
