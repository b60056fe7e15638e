import type { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import { type Permissions, parsePermissions } from '../../services/xenstore/client/index.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { report } from '../session.ts';
import type { Nodes } from './access.ts';
import { pathsOf } from './nodes.ts';
import { didAll, withXenstore, type XenstoreFlags } from './session.ts';

interface ChmodFlags extends XenstoreFlags {
  readonly recursive?: boolean;
  readonly parents?: boolean;
}

/** `flotilla xenstore chmod`. */
export function chmodCommand(context: Context): Command {
  const summary = 'Set who owns a node, and who may read and write it';
  return verb(context, 'xenstore', 'chmod <node> <permissions...>', summary)
    .option('-r, --recursive', 'also all that is below')
    .option('-u, --parents', 'also all nodes above')
    .addHelpText('after', permissionsHelp)
    .action((path: string, texts: readonly string[], flags: ChmodFlags) => {
      const permissions = parsePermissions(texts);
      if (!permissions.ok)
        return report(
          context,
          flags.json === true,
          wrongUsage(
            `"${texts.join(' ')}" are no permissions`,
            'write a letter of n, r, w and b and the number of a domain, the owner first, such as n0 r7',
          ),
        );
      return withXenstore(context, flags, async (session) => {
        const { xenstore } = session;
        const setAll = (nodes: Nodes) => setThem(nodes, path, permissions.value, flags);
        const several = flags.recursive === true || flags.parents === true;
        const set = await (several ? xenstore.transaction(setAll) : setAll(xenstore));
        return didAll(session, pathsOf(set), exitCodes.done);
      });
    });
}

/** Sets the permissions of a node and of those with it; comes back with their paths. */
async function setThem(
  nodes: Nodes,
  path: string,
  permissions: Permissions,
  { recursive, parents }: ChmodFlags,
): Promise<Result<readonly { readonly path: string }[], Problem>> {
  const set: { readonly path: string }[] = [];
  const rest = [path];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const done = await nodes.setPermissions(next, permissions);
    if (!done.ok) return done;
    set.push({ path: next });
    if (recursive !== true) continue;
    const children = await nodes.list(next);
    if (!children.ok) return children;
    const above = next === '/' ? '' : next;
    for (const name of children.value.toReversed()) rest.push(`${above}/${name}`);
  }
  if (parents !== true) return ok(set);
  // The root is everybody's, and not meant.
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const above = path.slice(0, at);
    const done = await nodes.setPermissions(above, permissions);
    if (!done.ok) return done;
    set.push({ path: above });
  }
  return ok(set);
}

const permissionsHelp = `
A permission is a letter and the number of a domain: n nothing, r read, w write, b both. The first one is
the owner, who may do everything; its letter says what domains may that are not listed.
  flotilla xenstore chmod /local/domain/7/data n7 r3     owner 7; 3 reads; others nothing`;
