import type { Report } from '../../deploy/image/command.ts';

/** Writes each line to standard error, with the seconds since the first call of this function. */
export function elapsedReport(): Report {
  const start = performance.now();
  return (line) => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`[${seconds} s] ${line}\n`);
  };
}
