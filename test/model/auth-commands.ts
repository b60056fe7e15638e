import fc from 'fast-check';
import type { AuthChange } from '../../consensus/kv/auth/change.ts';
import type { Access, Permission } from '../../consensus/kv/auth/permission.ts';
import type { KeyRange } from '../../consensus/kv/key-range.ts';
import { bytes, keys, rangeOf } from './store-commands.ts';

/** Few names, so that they meet; `root` is among the roles and the users. */
export const users = ['root', 'ann', 'bob'].map(bytes);
export const roles = ['root', 'r1', 'r2'].map(bytes);
const userOf = fc.constantFrom(...users);
const roleOf = fc.constantFrom(...roles);

/** A permission as a role is given it. */
export const permissionOf: fc.Arbitrary<Permission> = fc.record({
  access: fc.constantFrom<Access>('read', 'write', 'readwrite'),
  range: rangeOf,
});

/** Any change but the one that founds: that one comes first or not at all. */
export const authChangeOf: fc.Arbitrary<AuthChange> = fc.oneof(
  fc.constantFrom<AuthChange>({ kind: 'enable' }, { kind: 'disable' }),
  fc.record({ kind: fc.constantFrom('add-user' as const, 'delete-user'), user: userOf }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('grant-role' as const, 'grant-role', 'revoke-role'),
      user: userOf,
      role: roleOf,
    }),
  },
  fc.record({ kind: fc.constantFrom('add-role' as const, 'delete-role'), role: roleOf }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('grant-permission' as const),
      role: roleOf,
      permission: permissionOf,
    }),
  },
  fc.record({ kind: fc.constant('revoke-permission' as const), role: roleOf, range: rangeOf }),
);

/** What is asked of rights: one key or a span. */
export const askedOf: fc.Arbitrary<KeyRange> = fc.oneof(
  fc.constantFrom(...keys).map((key): KeyRange => ({ kind: 'key', key })),
  rangeOf,
);
