import type { Command } from 'commander';
import { ok } from '../../base/result.ts';
import {
  anyDomain,
  formatPermission,
  type Permission,
  type Permissions,
} from '../../services/xenstore/client/index.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { tableLines } from '../output/table.ts';
import { each } from './nodes.ts';
import { withXenstore, type XenstoreFlags } from './session.ts';

const columns = ['NODE', 'OWNER', 'OTHERS MAY', 'THESE MAY', 'AS WRITTEN'].map((heading) => ({
  heading,
}));

/** `flotilla xenstore perms`. */
export function permsCommand(context: Context): Command {
  const summary = 'Show who owns nodes, and who may read and write them';
  return verb(context, 'xenstore', 'perms <nodes...>', summary).action(
    (paths: readonly string[], flags: XenstoreFlags) =>
      withXenstore(context, flags, async (session) => {
        const all = await each(session, paths, (nodes, path) => nodes.permissions(path));
        if (!all.ok) return all;
        session.answer(
          all.value.map(({ path, value }) => ({
            path,
            owner: value[0].domain,
            permissions: value.map(formatPermission),
          })),
          tableLines(
            columns,
            all.value.map(({ path, value }) => row(path, value)),
            session.style,
          ),
        );
        return ok(exitCodes.done);
      }),
  );
}

function row(path: string, permissions: Permissions): readonly string[] {
  const [owner, ...listed] = permissions;
  const others = listed.map((entry) => {
    const who = entry.domain === anyDomain ? 'all' : `domain ${entry.domain}`;
    return `${who} ${accessOf(entry)}`;
  });
  return [
    path,
    `domain ${owner.domain}`,
    accessOf(owner),
    others.join(', '),
    permissions.map(formatPermission).join(' '),
  ];
}

function accessOf({ read, write }: Permission): string {
  if (read) return write ? 'read and write' : 'read';
  return write ? 'write' : 'nothing';
}
