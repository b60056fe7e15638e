import { fail, ok } from '../../../../base/result.ts';
import type {
  Permission_Type,
  Permission as WirePermission,
} from '../../../../proto/gen/authpb.ts';
import type { Auth } from '../../../../proto/gen/etcdserverpb.ts';
import type { Handlers } from '../../../../proto/server.ts';
import type { AuthChange } from '../../../kv/auth/change.ts';
import type { Access, Permission } from '../../../kv/auth/permission.ts';
import { type ByteString, bufferOf, byteString, textBytes } from '../../../kv/byte-string.ts';
import { type KeyRange, keyRange } from '../../../kv/key-range.ts';
import type { Served } from '../failures.ts';
import { unary } from '../lean-service.ts';
import type { EtcdMember } from '../member.ts';
import { authFailures, identityFailures } from './failures.ts';

const accesses: Readonly<Record<Permission_Type, Access>> = {
  READ: 'read',
  WRITE: 'write',
  READWRITE: 'readwrite',
};

const types: Readonly<Record<Access, Permission_Type>> = {
  read: 'READ',
  write: 'WRITE',
  readwrite: 'READWRITE',
};

/**
 * etcd's Auth service. A user is who has a certificate of that common name: nobody has a password,
 * and nobody logs in.
 */
export function authService(member: EtcdMember): Handlers<Auth> {
  const { store } = member;
  const change = async (wanted: AuthChange) => {
    const changed = await member.propose<'auth'>({ kind: 'auth', change: wanted });
    return changed.ok ? ok({ header: member.header(changed.value.revision) }) : changed;
  };
  return {
    authEnable: unary(() => change({ kind: 'enable' })),
    authDisable: unary(() => change({ kind: 'disable' })),
    authStatus: unary(async () => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      const { enabled, revision } = store.auth;
      return ok({ header: member.headerNow(), enabled, authRevision: BigInt(revision) });
    }),
    authenticate: unary(() => fail(identityFailures.passwordLogin)),
    userChangePassword: unary(() => fail(identityFailures.passwordChanged)),
    userAdd: unary(({ name, password, hashedPassword }) => {
      if (password !== '' || hashedPassword !== '') return fail(identityFailures.passwordGiven);
      return change({ kind: 'add-user', user: textBytes(name) });
    }),
    userGet: unary(async ({ name }) => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      const roles = store.auth.rolesOf(textBytes(name));
      if (roles === undefined) return fail(authFailures['user-not-found']);
      return ok({ header: member.headerNow(), roles: roles.map(text) });
    }),
    userList: unary(async () => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      return ok({ header: member.headerNow(), users: store.auth.users().map(text) });
    }),
    userDelete: unary(({ name }) => change({ kind: 'delete-user', user: textBytes(name) })),
    userGrantRole: unary(({ user, role }) =>
      change({ kind: 'grant-role', user: textBytes(user), role: textBytes(role) }),
    ),
    userRevokeRole: unary(({ name, role }) =>
      change({ kind: 'revoke-role', user: textBytes(name), role: textBytes(role) }),
    ),
    roleAdd: unary(({ name }) => change({ kind: 'add-role', role: textBytes(name) })),
    roleGet: unary(async ({ role }) => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      const permissions = store.auth.permissionsOf(textBytes(role));
      if (permissions === undefined) return fail(authFailures['role-not-found']);
      return ok({ header: member.headerNow(), perm: permissions.map(permissionMessage) });
    }),
    roleList: unary(async () => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      return ok({ header: member.headerNow(), roles: store.auth.roles().map(text) });
    }),
    roleDelete: unary(({ role }) => change({ kind: 'delete-role', role: textBytes(role) })),
    roleGrantPermission: unary(({ name, perm }) => {
      const permission = permissionOf(perm);
      if (!permission.ok) return permission;
      const role = textBytes(name);
      return change({ kind: 'grant-permission', role, permission: permission.value });
    }),
    roleRevokePermission: unary(({ role, key, rangeEnd }) => {
      const range = keyRange(byteString(key), byteString(rangeEnd));
      return change({ kind: 'revoke-permission', role: textBytes(role), range });
    }),
  };
}

function permissionOf(wire: WirePermission | null): Served<Permission> {
  // An enum value that this version does not know is decoded as its number.
  const access: Access | undefined = wire === null ? undefined : accesses[wire.permType];
  if (wire === null || access === undefined) return fail(identityFailures.noPermission);
  return ok({ access, range: keyRange(byteString(wire.key), byteString(wire.rangeEnd)) });
}

function permissionMessage({ access, range }: Permission) {
  const [key, rangeEnd] = wireRange(range);
  return { permType: types[access], key: bufferOf(key), rangeEnd: bufferOf(rangeEnd) };
}

/** The pair that etcd writes a range as: the inverse of `keyRange`. */
function wireRange(range: KeyRange): readonly [key: ByteString, rangeEnd: ByteString] {
  if (range.kind === 'key') return [range.key, textBytes('')];
  return [range.from, range.to ?? textBytes('\0')];
}

function text(bytes: ByteString): string {
  return bufferOf(bytes).toString('utf8');
}
