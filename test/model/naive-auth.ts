import type { AuthChange, AuthFailure } from '../../consensus/kv/auth/change.ts';
import { isSameRange, type Permission } from '../../consensus/kv/auth/permission.ts';
import { inRange } from '../../consensus/kv/key-range.ts';
import { bytes } from './store-commands.ts';

interface NaiveState {
  readonly enabled: boolean;
  readonly users: Readonly<Record<string, readonly string[]>>;
  readonly roles: Readonly<Record<string, readonly Permission[]>>;
}

/**
 * Rights as etcd's documentation tells of them, written the shortest way: every change copies all
 * there is, and a key is looked for among all permissions of all roles.
 */
export class NaiveAuth {
  state: NaiveState = { enabled: false, users: {}, roles: {} };

  /** Makes a change, or says why not. */
  apply(change: AuthChange): AuthFailure | null {
    const next = this.#next(change);
    if (typeof next === 'string') return next;
    this.state = next;
    return null;
  }

  /** Whether a user may read or write one key. */
  may(user: string, access: 'read' | 'write', key: string): boolean {
    const roles = this.state.users[user] ?? [];
    if (roles.includes('root')) return true;
    return roles
      .flatMap((role) => this.state.roles[role] ?? [])
      .some((each) => each.access.includes(access) && inRange(each.range, bytes(key)));
  }

  #next(change: AuthChange): NaiveState | AuthFailure {
    const { state } = this;
    const { users, roles, enabled } = state;
    const roots = Object.keys(users).filter((user) => users[user]?.includes('root'));
    const isLastRoot = (user: string) =>
      enabled && (user === 'root' || roots.every((root) => root === user));
    switch (change.kind) {
      case 'enable':
        if (enabled || roots.length > 0) return { ...state, enabled: true };
        return 'root' in users ? 'no-root-role' : 'no-root-user';
      case 'disable':
        return { ...state, enabled: false };
      case 'add-user':
        if (change.user in users) return 'user-exists';
        return { ...state, users: { ...users, [change.user]: [] } };
      case 'delete-user': {
        if (isLastRoot(change.user)) return 'invalid-auth-management';
        if (!(change.user in users)) return 'user-not-found';
        const { [change.user]: _, ...others } = users;
        return { ...state, users: others };
      }
      case 'grant-role': {
        const { user, role } = change;
        const own = users[user];
        if (own === undefined) return 'user-not-found';
        if (role !== 'root' && !(role in roles)) return 'role-not-found';
        const granted = own.includes(role) ? own : [...own, role];
        return { ...state, users: { ...users, [user]: granted } };
      }
      case 'revoke-role': {
        const { user, role } = change;
        if (role === 'root' && isLastRoot(user)) return 'invalid-auth-management';
        const own = users[user];
        if (own === undefined) return 'user-not-found';
        if (!own.includes(role)) return 'role-not-granted';
        return { ...state, users: { ...users, [user]: own.filter((each) => each !== role) } };
      }
      case 'add-role':
        if (change.role in roles) return 'role-exists';
        return { ...state, roles: { ...roles, [change.role]: [] } };
      case 'delete-role': {
        if (enabled && change.role === 'root') return 'invalid-auth-management';
        if (!(change.role in roles)) return 'role-not-found';
        const { [change.role]: _, ...others } = roles;
        const left = Object.entries(users).map(([user, own]) => [
          user,
          own.filter((role) => role !== change.role),
        ]);
        return { ...state, roles: others, users: Object.fromEntries(left) };
      }
      case 'grant-permission': {
        const own = roles[change.role];
        if (own === undefined) return 'role-not-found';
        const others = own.filter(({ range }) => !isSameRange(range, change.permission.range));
        return { ...state, roles: { ...roles, [change.role]: [...others, change.permission] } };
      }
      case 'revoke-permission': {
        const own = roles[change.role];
        if (own === undefined) return 'role-not-found';
        const others = own.filter(({ range }) => !isSameRange(range, change.range));
        if (others.length === own.length) return 'permission-not-granted';
        return { ...state, roles: { ...roles, [change.role]: others } };
      }
      case 'found':
        return state;
    }
  }
}
