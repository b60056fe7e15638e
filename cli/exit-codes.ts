/**
 * How a command ended, for scripts. They are part of the CLI's contract: `--help` prints them, and a
 * number never changes its meaning.
 */
export const exitCodes = {
  /** What was asked for is so. */
  done: 0,
  /** The pool refused, or the operation failed and what it had done is undone. */
  failed: 1,
  /** The command line is wrong; nothing was sent. */
  usage: 2,
  /** No pool was found, none of its hosts answers, or its database has no leader. */
  unreachable: 3,
  /** The VM, host or operation that was named does not exist. */
  notFound: 4,
  /** `--timeout` ran out; an operation that was started goes on. */
  timedOut: 5,
  /** Ctrl-C, as shells count it: 128 + SIGINT. An operation that was started goes on. */
  interrupted: 130,
} as const;

/** One of `exitCodes`. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The part of every command's `--help` that documents the exit codes. */
export const exitCodesHelp = `
Exit codes:
  0    done
  1    the pool refused, or the operation failed
  2    wrong usage; nothing was sent
  3    the pool cannot be reached
  4    what was named does not exist
  5    --timeout ran out (an operation that was started goes on)
  130  interrupted (an operation that was started goes on)`;
