/**
 * What V8 and the C library are told at the start of a process only, so that a member holds little
 * more memory than its store does. Each was measured: docs/pool-database-performance.md.
 */

/** What is left of a busy time can be collected at rest: adapters/collect-at-rest.ts. */
const v8Flags: readonly string[] = ['--expose-gc'];

/**
 * One heap of malloc's for all threads, as few of them allocate much; and what is free at its end,
 * or larger than 128 KiB and free, goes back to the kernel.
 */
const mallocSettings = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' };

/**
 * Starts this program again within the same process (execve(2): its id, its standard streams and its
 * arguments stay) unless it was started with these settings already. To be called first of all.
 */
export function becomeLean(program: string): void {
  const { execArgv, execPath, argv, env } = process;
  if (v8Flags.every((flag) => execArgv.includes(flag))) return;
  const words = [execPath, ...v8Flags, ...execArgv, program, ...argv.slice(2)];
  process.execve?.(execPath, words, { ...mallocSettings, ...env });
}
