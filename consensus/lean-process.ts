import { existsSync } from 'node:fs';

/**
 * What the C library is told at the start of a process only, so that a member holds little more memory
 * than its store does. Each was measured: docs/pool-database-performance.md. V8 is told nothing then: with
 * any flag that changes what it compiles, or `--expose-gc`, it takes none of the compiled code that Node
 * brings of its own modules.
 */

/**
 * Where Debian has jemalloc (package libjemalloc2). The C library gives back only what is free at the
 * end of its heap, and one small thing that was allocated while a member was at its busiest keeps
 * all below it: 20 to 40 MiB of a leader. jemalloc gives back every page that is free.
 */
const jemallocPaths: readonly string[] = ['x86_64', 'aarch64'].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/libjemalloc.so.2`,
);

/** One arena, as few threads allocate much; what has been free for a second goes back, of itself. */
const jemallocOptions = 'background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:1';

/**
 * Without jemalloc: one heap for all threads too. What is free at its end goes back to the kernel,
 * and what is larger than 32 KiB lies beside it and goes back by itself: what is received, and a
 * snapshot's chunks, which live until the next collection.
 */
const mallocSettings = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '32768',
};

/** Says that a process was started anew: of the others ld.so(8) takes some away in its secure mode. */
const leanVariable = 'FLOTILLA_LEAN';

/**
 * Starts this program again within the same process (execve(2): its id, its standard streams and its
 * arguments stay) unless that has been done already. What is set already stays as it is. To be called
 * first of all.
 */
export function becomeLean(program: string): void {
  const { execArgv, execPath, argv, env } = process;
  if (env[leanVariable] !== undefined) return;
  const settings = { ...mallocSettings, ...jemallocSettings(env), [leanVariable]: '1' };
  const words = [execPath, ...execArgv, program, ...argv.slice(2)];
  process.execve?.(execPath, words, { ...settings, ...env });
}

/** A library that somebody has chosen already stays, and so do its options. */
function jemallocSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const found = jemallocPaths.find((path) => existsSync(path));
  if (found === undefined || env.LD_PRELOAD !== undefined) return {};
  return { LD_PRELOAD: found, MALLOC_CONF: jemallocOptions };
}
