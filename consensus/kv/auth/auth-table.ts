import { unreachable } from '../../../base/assert.ts';
import type { ByteString } from '../byte-string.ts';
import type { KeyRange } from '../key-range.ts';
import { authBounds } from './bounds.ts';
import type {
  AuthChange,
  AuthFailure,
  Foundation,
  RoleDescription,
  UserDescription,
} from './change.ts';
import {
  comparePermissions,
  isSameRange,
  type Permission,
  rootRole,
  rootUser,
} from './permission.ts';
import { type Rights, rightsOf } from './rights.ts';

/** All that is kept of rights, as a snapshot holds it. */
export interface AuthState extends Foundation {
  readonly enabled: boolean;
  readonly revision: number;
}

/** The revision of rights that nobody has changed: etcd begins with 1, too. */
const untouched = 1;

/**
 * Who may do what, with the semantics of etcd's auth store
 * (https://etcd.io/docs/v3.4/op-guide/authentication/), except that nobody has a password, and that
 * any user with the role `root` keeps the others' rights changeable, not only one that is called so.
 */
export class AuthTable {
  readonly #users = new Map<ByteString, Set<ByteString>>();
  readonly #roles = new Map<ByteString, readonly Permission[]>();
  /** What users may do, put together when they first ask after a change. */
  readonly #rights = new Map<ByteString, Rights>();
  #enabled = false;
  #revision = untouched;

  /** Fills an empty table with what a snapshot holds. */
  restore({ enabled, revision, roles, users }: AuthState): void {
    this.#fill({ roles, users });
    this.#enabled = enabled;
    this.#revision = revision;
  }

  /** Whether rights are enforced. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Rises with each change. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether nobody has changed anything yet. */
  get isUntouched(): boolean {
    return this.#revision === untouched;
  }

  /** What a user may do; null where there is no such user. */
  rights(user: ByteString): Rights | null {
    const known = this.#rights.get(user);
    if (known !== undefined) return known;
    const roles = this.#users.get(user);
    if (roles === undefined) return null;
    const permissions = [...roles].flatMap((role) => this.#roles.get(role) ?? []);
    const rights = rightsOf(user, roles, permissions);
    this.#rights.set(user, rights);
    return rights;
  }

  /** The roles of a user, in their order; undefined where there is no such user. */
  rolesOf(user: ByteString): readonly ByteString[] | undefined {
    const roles = this.#users.get(user);
    return roles === undefined ? undefined : [...roles].sort();
  }

  /** The permissions of a role, by their keys; undefined where there is no such role. */
  permissionsOf(role: ByteString): readonly Permission[] | undefined {
    return this.#roles.get(role);
  }

  /** The names of all users, in their order. */
  users(): readonly ByteString[] {
    return [...this.#users.keys()].sort();
  }

  /** The names of all roles, in their order. */
  roles(): readonly ByteString[] {
    return [...this.#roles.keys()].sort();
  }

  /** All that there is, for a snapshot. */
  state(): AuthState {
    return {
      enabled: this.#enabled,
      revision: this.#revision,
      roles: this.roles().map((name) => ({ name, permissions: this.#roles.get(name) ?? [] })),
      users: this.users().map((name) => ({ name, roles: this.rolesOf(name) ?? [] })),
    };
  }

  /** Makes a change, or says why not; then nothing was changed. */
  apply(change: AuthChange): AuthFailure | null {
    switch (change.kind) {
      case 'enable':
        return this.#enable();
      case 'disable':
        if (this.#enabled) this.#changed();
        this.#enabled = false;
        return null;
      case 'add-user':
        return this.#addUser(change.user);
      case 'delete-user':
        return this.#deleteUser(change.user);
      case 'grant-role':
        return this.#grantRole(change.user, change.role);
      case 'revoke-role':
        return this.#revokeRole(change.user, change.role);
      case 'add-role':
        return this.#addRole(change.role);
      case 'delete-role':
        return this.#deleteRole(change.role);
      case 'grant-permission':
        return this.#grantPermission(change.role, change.permission);
      case 'revoke-permission':
        return this.#revokePermission(change.role, change.range);
      case 'found':
        return this.#found(change);
      default:
        return unreachable(change);
    }
  }

  #enable(): AuthFailure | null {
    if (this.#enabled) return null;
    if (!this.#hasRoot()) return this.#users.has(rootUser) ? 'no-root-role' : 'no-root-user';
    this.#enabled = true;
    this.#changed();
    return null;
  }

  #found({ roles, users }: Foundation): AuthFailure | null {
    if (!this.isUntouched) return null;
    const isTooLarge =
      users.length > authBounds.users ||
      roles.length > authBounds.roles ||
      roles.some(({ permissions }) => permissions.length > authBounds.permissionsPerRole);
    if (isTooLarge) return 'auth-too-large';
    if (!users.some((user) => user.roles.includes(rootRole))) return 'no-root-role';
    this.#fill({ roles, users });
    this.#enabled = true;
    this.#changed();
    return null;
  }

  #fill({ roles, users }: Foundation): void {
    for (const role of roles) this.#setPermissions(role);
    for (const user of users) this.#setRoles(user);
  }

  #setPermissions({ name, permissions }: RoleDescription): void {
    this.#roles.set(name, [...permissions].sort(comparePermissions));
  }

  #setRoles({ name, roles }: UserDescription): void {
    this.#users.set(name, new Set(roles));
  }

  #addUser(user: ByteString): AuthFailure | null {
    if (user === '') return 'user-name-empty';
    if (this.#users.has(user)) return 'user-exists';
    if (this.#users.size >= authBounds.users || user.length > authBounds.name)
      return 'auth-too-large';
    this.#users.set(user, new Set());
    this.#changed();
    return null;
  }

  #deleteUser(user: ByteString): AuthFailure | null {
    if (this.#enabled && (user === rootUser || !this.#hasRoot(user)))
      return 'invalid-auth-management';
    if (!this.#users.delete(user)) return 'user-not-found';
    this.#changed();
    return null;
  }

  #grantRole(user: ByteString, role: ByteString): AuthFailure | null {
    const roles = this.#users.get(user);
    if (roles === undefined) return 'user-not-found';
    if (role !== rootRole && !this.#roles.has(role)) return 'role-not-found';
    if (roles.has(role)) return null;
    roles.add(role);
    this.#changed();
    return null;
  }

  #revokeRole(user: ByteString, role: ByteString): AuthFailure | null {
    if (this.#enabled && role === rootRole && (user === rootUser || !this.#hasRoot(user)))
      return 'invalid-auth-management';
    const roles = this.#users.get(user);
    if (roles === undefined) return 'user-not-found';
    if (!roles.delete(role)) return 'role-not-granted';
    this.#changed();
    return null;
  }

  #addRole(role: ByteString): AuthFailure | null {
    if (role === '') return 'role-name-empty';
    if (this.#roles.has(role)) return 'role-exists';
    if (this.#roles.size >= authBounds.roles || role.length > authBounds.name)
      return 'auth-too-large';
    this.#roles.set(role, []);
    this.#changed();
    return null;
  }

  #deleteRole(role: ByteString): AuthFailure | null {
    if (this.#enabled && role === rootRole) return 'invalid-auth-management';
    if (!this.#roles.delete(role)) return 'role-not-found';
    for (const roles of this.#users.values()) roles.delete(role);
    this.#changed();
    return null;
  }

  #grantPermission(role: ByteString, permission: Permission): AuthFailure | null {
    const permissions = this.#roles.get(role);
    if (permissions === undefined) return 'role-not-found';
    const others = permissions.filter(({ range }) => !isSameRange(range, permission.range));
    if (others.length >= authBounds.permissionsPerRole) return 'auth-too-large';
    this.#setPermissions({ name: role, permissions: [...others, permission] });
    this.#changed();
    return null;
  }

  #revokePermission(role: ByteString, revoked: KeyRange): AuthFailure | null {
    const permissions = this.#roles.get(role);
    if (permissions === undefined) return 'role-not-found';
    const others = permissions.filter(({ range }) => !isSameRange(range, revoked));
    if (others.length === permissions.length) return 'permission-not-granted';
    this.#roles.set(role, others);
    this.#changed();
    return null;
  }

  /** Whether a user other than `without` has the role that may do everything. */
  #hasRoot(without?: ByteString): boolean {
    for (const [user, roles] of this.#users)
      if (user !== without && roles.has(rootRole)) return true;
    return false;
  }

  #changed(): void {
    this.#revision += 1;
    this.#rights.clear();
  }
}
