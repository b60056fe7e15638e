import type { Command } from 'commander';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Access, hostAccess, type Keys } from '../../../pool/access.ts';
import { prefixEnd } from '../../../pool/etcd/messages.ts';
import { HostIdSchema, NameSchema } from '../../../pool/records/identifiers.ts';
import type { Client } from '../../../proto/client.ts';
import type { Permission_Type } from '../../../proto/gen/authpb.ts';
import { Auth } from '../../../proto/gen/etcdserverpb.ts';
import { changesSomething, verb } from '../../command.ts';
import type { Context } from '../../context.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { type Problem, wrongUsage } from '../../problem.ts';
import { agreed, type ChangeFlags } from '../change.ts';
import type { Attempt } from '../database.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from '../session.ts';

interface AdmitFlags extends ChangeFlags {
  readonly id: string;
}

const types: Readonly<Record<Access, Permission_Type>> = {
  read: 'READ',
  write: 'WRITE',
  readwrite: 'READWRITE',
};

/** `flotilla pool rights admit`. */
export function admitCommand(context: Context): Command {
  const summary = 'Let the services of one more host use the pool database';
  return talksToDatabase(changesSomething(verb(context, 'pool rights', 'admit <host>', summary)))
    .requiredOption('--id <uuid>', 'the id that the host has in its configuration')
    .action((name: string, flags: AdmitFlags) =>
      withDatabase(context, flags, (session) => admit(session, name, flags)),
    );
}

async function admit(
  session: DatabaseSession,
  name: string,
  flags: AdmitFlags,
): Promise<Result<ExitCode, Problem>> {
  if (!v.is(NameSchema, name)) return fail(wrongUsage(`${name} is no name of a host`, ''));
  if (!v.is(HostIdSchema, flags.id))
    return fail(wrongUsage(`--id ${flags.id} is no UUID`, "give the host's hostId"));
  const { roles, users } = hostAccess({ id: flags.id, name });
  const go = await agreed(session, flags, {
    would: `let the services of ${name} use the pool database`,
    means: Object.entries(users).map(([user, own]) => `${user}: ${own.join(', ')}`),
  });
  if (!go.goesOn) return go.outcome;
  const known = await knownNames(session);
  if (!known.ok) return known;
  const calls = [
    ...Object.entries(roles).flatMap(([role, permissions]) => [
      ...(known.value.roles.includes(role)
        ? []
        : [change((auth, call) => auth.roleAdd({ name: role }, call))]),
      ...permissions.map((right) =>
        change((auth, call) =>
          auth.roleGrantPermission(
            { name: role, perm: { permType: types[right.access], ...rangeOf(right) } },
            call,
          ),
        ),
      ),
    ]),
    ...Object.entries(users).flatMap(([user, own]) => [
      ...(known.value.users.includes(user)
        ? []
        : [
            change((auth, call) =>
              auth.userAdd({ name: user, options: { noPassword: true } }, call),
            ),
          ]),
      ...own.map((role) => change((auth, call) => auth.userGrantRole({ user, role }, call))),
    ]),
  ];
  for (const attempt of calls) {
    const done = await session.database.call(attempt, { changes: true });
    if (!done.ok) return done;
  }
  session.answer({ admitted: name, users: Object.keys(users) }, [
    `the services of ${name} may use the pool database`,
  ]);
  return ok(exitCodes.done);
}

/** A change of rights, which comes to the same if it is made twice. */
function change<Response>(
  make: (
    auth: Client<Auth>,
    settings: Parameters<Attempt<Response>>[1],
  ) => ReturnType<Attempt<Response>>,
): Attempt<Response> {
  return (to, settings) => make(to.client(Auth), settings);
}

async function knownNames({
  database,
}: DatabaseSession): Promise<
  Result<{ readonly users: readonly string[]; readonly roles: readonly string[] }, Problem>
> {
  const users = await database.call((to, call) => to.client(Auth).userList({}, call));
  if (!users.ok) return users;
  const roles = await database.call((to, call) => to.client(Auth).roleList({}, call));
  return roles.ok ? ok({ users: users.value.users, roles: roles.value.roles }) : roles;
}

function rangeOf(keys: Keys): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  if ('key' in keys) return { key: Buffer.from(keys.key), rangeEnd: new Uint8Array() };
  return { key: Buffer.from(keys.prefix), rangeEnd: prefixEnd(keys.prefix) };
}
