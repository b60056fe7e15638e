import { readFileSync } from 'node:fs';

/** Kernel ticks per second in /proc: USER_HZ, which is 100 on every architecture of ours. */
const ticksPerSecond = 100;

/** The processor time that a process has used, all its threads included, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name, the second field, is in parentheses and may hold spaces.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks / ticksPerSecond) * 1e6;
}

/** What a process holds of the memory, in MiB. */
export interface Memory {
  /** Resident: with the pages of files that it has mapped. */
  readonly rss: number;
  /** The same, where pages that others share count in part. */
  readonly pss: number;
}

/** What a process holds of the memory now. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return { rss: read('Rss') / 1024, pss: read('Pss') / 1024 };
}
