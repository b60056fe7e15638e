import type { Command } from 'commander';
import { ok, type Result } from '../../../base/result.ts';
import type { Permission } from '../../../proto/gen/authpb.ts';
import { Auth } from '../../../proto/gen/etcdserverpb.ts';
import { verb } from '../../command.ts';
import type { Context } from '../../context.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { tableLines } from '../../output/table.ts';
import type { Problem } from '../../problem.ts';
import {
  type DatabaseFlags,
  type DatabaseSession,
  talksToDatabase,
  withDatabase,
} from '../session.ts';

/** `flotilla pool rights list`. */
export function listCommand(context: Context): Command {
  const summary = 'Show who may read and write what in the pool database';
  return talksToDatabase(verb(context, 'pool rights', 'list', summary)).action(
    (flags: DatabaseFlags) => withDatabase(context, flags, list),
  );
}

/** One thing that somebody may do. */
interface Row {
  readonly user: string;
  readonly role: string;
  readonly access: string;
  readonly keys: string;
}

async function list(session: DatabaseSession): Promise<Result<ExitCode, Problem>> {
  const { database } = session;
  const status = await database.call((to, call) => to.client(Auth).authStatus({}, call));
  if (!status.ok) return status;
  const users = await database.call((to, call) => to.client(Auth).userList({}, call));
  if (!users.ok) return users;
  const roles = new Map<string, readonly Permission[]>();
  const rows: Row[] = [];
  for (const name of users.value.users) {
    const user = await database.call((to, call) => to.client(Auth).userGet({ name }, call));
    if (!user.ok) return user;
    for (const role of user.value.roles) {
      if (role === 'root') {
        rows.push({ user: name, role, access: 'everything', keys: '' });
        continue;
      }
      const known = roles.get(role);
      const read = known === undefined ? await permissions(session, role) : ok(known);
      if (!read.ok) return read;
      roles.set(role, read.value);
      rows.push(...read.value.map((each) => ({ user: name, role, ...shown(each) })));
    }
  }
  const { enabled } = status.value;
  if (!enabled) session.note('rights are not enforced: everybody may do everything');
  const columns = ['USER', 'ROLE', 'RIGHTS', 'KEYS'].map((heading) => ({ heading }));
  const lines = rows.map(({ user, role, access, keys }) => [user, role, access, keys]);
  session.answer({ enforced: enabled, rights: rows }, tableLines(columns, lines, session.style));
  return ok(exitCodes.done);
}

async function permissions(
  { database }: DatabaseSession,
  role: string,
): Promise<Result<readonly Permission[], Problem>> {
  const read = await database.call((to, call) => to.client(Auth).roleGet({ role }, call));
  return read.ok ? ok(read.value.perm) : read;
}

function shown({ permType, key, rangeEnd }: Permission): Pick<Row, 'access' | 'keys'> {
  const access = permType.toLowerCase();
  const [from, to] = [Buffer.from(key), Buffer.from(rangeEnd)];
  if (to.length === 0) return { access, keys: from.toString() };
  if (to.equals(endOfPrefix(from))) return { access, keys: `${from.toString()}*` };
  const end = to.equals(Buffer.of(0)) ? 'on' : `to before ${to.toString()}`;
  return { access, keys: `from ${from.toString()} ${end}` };
}

/** The first key after all that begin with a prefix; empty where there is none. */
function endOfPrefix(prefix: Buffer): Buffer {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  const end = Buffer.from(prefix.subarray(0, last + 1));
  if (last >= 0) end[last] = (end[last] ?? 0) + 1;
  return end;
}
