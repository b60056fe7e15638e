import { type Command, InvalidArgumentError } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import { formatPermission, type TreeNode } from '../../services/xenstore/client/index.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { escaped, jsonValue } from './escape.ts';
import { withXenstore, type XenstoreFlags, type XenstoreSession } from './session.ts';

interface LsFlags extends XenstoreFlags {
  readonly full?: boolean;
  readonly permissions?: boolean;
  readonly depth?: number;
}

/** `flotilla xenstore ls`: trees with their values. */
export function lsCommand(context: Context): Command {
  const summary = 'Show what is below nodes: names, values, permissions';
  return verb(context, 'xenstore', 'ls [nodes...]', summary)
    .option('-f, --full', 'whole paths, instead of a tree')
    .option('-p, --permissions', 'show permissions: the owner first, with what all others may')
    .option('--depth <levels>', 'no more levels than this', levels)
    .action((paths: readonly string[], flags: LsFlags) =>
      withXenstore(context, flags, (session) =>
        ls(session, paths.length === 0 ? ['/'] : paths, flags),
      ),
    );
}

/** Reads how many levels of a tree are wanted. Throws what commander expects. */
export function levels(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number, 0 or more.');
  return Number(text);
}

async function ls(
  session: XenstoreSession,
  paths: readonly string[],
  flags: LsFlags,
): Promise<Result<ExitCode, Problem>> {
  const nodes: object[] = [];
  const lines: string[] = [];
  for (const path of paths) {
    const tree = await session.xenstore.tree(path, flags.depth);
    if (!tree.ok) return tree;
    const above = path === '/' ? '' : path;
    for (const node of tree.value) {
      if (session.json) nodes.push(jsonOf(node));
      else lines.push(lineOf(node, above, flags));
    }
  }
  session.answer(nodes, lines);
  return ok(exitCodes.done);
}

/** A line as `xenstore-ls` prints it. */
function lineOf({ path, value, permissions }: TreeNode, above: string, flags: LsFlags): string {
  const below = path.slice(above.length + 1).split('/');
  const name = flags.full === true ? path : `${' '.repeat(below.length - 1)}${below.at(-1)}`;
  const said = value === null ? `${name}: not readable` : `${name} = "${escaped(value)}"`;
  if (flags.permissions !== true || permissions === null) return said;
  return `${said}   (${permissions.map(formatPermission).join(',')})`;
}

function jsonOf({ path, value, permissions }: TreeNode): object {
  return {
    path,
    ...(value === null ? { value: null } : jsonValue(value)),
    permissions: permissions?.map(formatPermission) ?? null,
  };
}
