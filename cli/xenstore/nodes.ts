import type { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import type { Nodes } from './access.ts';
import { escaped, jsonValue } from './escape.ts';
import { didAll, withXenstore, type XenstoreFlags, type XenstoreSession } from './session.ts';

/** Commands that do the same with each of several nodes: all at one moment, or none. */

interface PrefixFlags extends XenstoreFlags {
  readonly prefix?: boolean;
}

/**
 * Does something with each node, in a transaction where there are several, or where it is `intricate`
 * for one alone; what comes of it is in the order of the nodes.
 */
export async function each<Value>(
  { xenstore }: XenstoreSession,
  paths: readonly string[],
  ask: (nodes: Nodes, path: string) => Promise<Result<Value, Problem>>,
  { intricate = false } = {},
): Promise<Result<readonly { readonly path: string; readonly value: Value }[], Problem>> {
  const all = async (nodes: Nodes) => {
    const values: { readonly path: string; readonly value: Value }[] = [];
    for (const path of paths) {
      const value = await ask(nodes, path);
      if (!value.ok) return value;
      values.push({ path, value: value.value });
    }
    return ok(values);
  };
  return paths.length === 1 && !intricate ? all(xenstore) : xenstore.transaction(all);
}

/** `flotilla xenstore read`. */
export function readCommand(context: Context): Command {
  return verb(context, 'xenstore', 'read <nodes...>', 'Print the values of nodes, a line each')
    .option('-p, --prefix', 'the path before each value')
    .option('-R, --raw', 'the bytes as they are: no escapes, and no ends of lines')
    .action((paths: readonly string[], flags: PrefixFlags & { readonly raw?: boolean }) =>
      withXenstore(context, flags, async (session) => {
        const read = await each(session, paths, (nodes, path) => nodes.read(path));
        if (!read.ok) return read;
        if (flags.raw === true && !session.json) {
          for (const { value } of read.value) context.stdout.write(value);
          return ok(exitCodes.done);
        }
        session.answer(
          read.value.map(({ path, value }) => ({ path, ...jsonValue(value) })),
          read.value.map(({ path, value }) =>
            flags.prefix === true ? `${path}: ${escaped(value)}` : escaped(value),
          ),
        );
        return ok(exitCodes.done);
      }),
    );
}

/** `flotilla xenstore list`. */
export function listCommand(context: Context): Command {
  return verb(context, 'xenstore', 'list [nodes...]', 'Print the names of the children of nodes')
    .option('-p, --prefix', 'whole paths')
    .action((named: readonly string[], flags: PrefixFlags) =>
      withXenstore(context, flags, async (session) => {
        const paths = named.length === 0 ? ['/'] : named;
        const lists = await each(session, paths, (nodes, path) => nodes.list(path));
        if (!lists.ok) return lists;
        session.answer(
          lists.value.map(({ path, value }) => ({ path, children: value })),
          lists.value.flatMap(({ path, value }) =>
            value.map((name) =>
              flags.prefix === true ? `${path === '/' ? '' : path}/${name}` : name,
            ),
          ),
        );
        return ok(exitCodes.done);
      }),
    );
}

/** `flotilla xenstore mkdir`. */
export function mkdirCommand(context: Context): Command {
  const summary = 'Make nodes without a value, and their parents, where they are missing';
  return verb(context, 'xenstore', 'mkdir <nodes...>', summary).action(
    (paths: readonly string[], flags: XenstoreFlags) =>
      withXenstore(context, flags, async (session) => {
        const made = await each(session, paths, (nodes, path) => nodes.mkdir(path));
        return didAll(session, pathsOf(made), exitCodes.done);
      }),
  );
}

/** The paths of what was done, as programs are told. */
export function pathsOf(
  done: Result<readonly { readonly path: string }[], Problem>,
): Result<readonly object[], Problem> {
  return done.ok ? ok(done.value.map(({ path }) => ({ path }))) : done;
}

/** `flotilla xenstore exists`. */
export function existsCommand(context: Context): Command {
  const summary = 'Exit with 0 if all of these nodes exist, and with 4 if not';
  return verb(context, 'xenstore', 'exists <nodes...>', summary).action(
    (paths: readonly string[], flags: XenstoreFlags) =>
      withXenstore(context, flags, async (session): Promise<Result<ExitCode, Problem>> => {
        const asked = await each(session, paths, exists);
        if (!asked.ok) return asked;
        const answers = asked.value.map(({ path, value }) => ({ path, exists: value }));
        const all = answers.every((answer) => answer.exists);
        return didAll(session, ok(answers), all ? exitCodes.done : exitCodes.notFound);
      }),
  );
}

async function exists(nodes: Nodes, path: string): Promise<Result<boolean, Problem>> {
  const read = await nodes.read(path);
  if (read.ok) return ok(true);
  return read.error.reason === 'NOT_FOUND' ? ok(false) : read;
}
