import type { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import type { Nodes } from './access.ts';
import { each, pathsOf } from './nodes.ts';
import { didAll, withXenstore, type XenstoreFlags } from './session.ts';

/** `flotilla xenstore rm`. */
export function rmCommand(context: Context): Command {
  const summary = 'Remove nodes with all that is below them; a missing node is no error';
  return verb(context, 'xenstore', 'rm <nodes...>', summary)
    .option('-t, --tidy', 'also parents that have no value and no child then')
    .action((paths: readonly string[], flags: XenstoreFlags & { readonly tidy?: boolean }) =>
      withXenstore(context, flags, async (session) => {
        // A parent that somebody has filled meanwhile is not to go.
        const intricate = flags.tidy === true;
        const remove = (nodes: Nodes, path: string) =>
          intricate ? removeTidily(nodes, path) : nodes.remove(path);
        const removed = await each(session, paths, remove, { intricate });
        return didAll(session, pathsOf(removed), exitCodes.done);
      }),
    );
}

async function removeTidily(nodes: Nodes, path: string): Promise<Result<void, Problem>> {
  const removed = await nodes.remove(path);
  if (!removed.ok) return removed;
  const parent = path.slice(0, path.lastIndexOf('/'));
  // The root stays, and so does where a relative path begins.
  if (parent === '') return ok(undefined);
  const value = await nodes.read(parent);
  if (!value.ok) return value;
  const children = await nodes.list(parent);
  if (!children.ok) return children;
  if (value.value.length > 0 || children.value.length > 0) return ok(undefined);
  return removeTidily(nodes, parent);
}
