import * as v from 'valibot';
import { authBounds } from './kv/auth/bounds.ts';
import type { Foundation } from './kv/auth/change.ts';
import type { Permission } from './kv/auth/permission.ts';
import { prefixEnd, textBytes } from './kv/byte-string.ts';

const Name = v.pipe(
  v.string(),
  v.minLength(1),
  v.check(
    (name) => Buffer.byteLength(name) <= authBounds.name,
    `is a name of more than ${authBounds.name} bytes`,
  ),
);

const Access = v.picklist(['read', 'write', 'readwrite'], 'is not read, write or readwrite');
const Text = v.pipe(v.string(), v.minLength(1));

/** One permission: for the keys with a prefix, or for one key. */
const PermissionSchema = v.pipe(
  v.union(
    [
      v.strictObject({ access: Access, prefix: Text }),
      v.strictObject({ access: Access, key: Text }),
    ],
    'is not {access, prefix} or {access, key}',
  ),
  v.transform((right): Permission => {
    if ('key' in right)
      return { access: right.access, range: { kind: 'key', key: textBytes(right.key) } };
    const from = textBytes(right.prefix);
    return { access: right.access, range: { kind: 'span', from, to: prefixEnd(from) } };
  }),
);

/**
 * Who may do what in a pool that begins: permissions by role, and roles by user, who is whoever has
 * a certificate of that common name. The role `root` may do everything, and somebody must have it.
 */
export const RightsSchema = v.pipe(
  v.strictObject({
    roles: v.record(Name, v.array(PermissionSchema)),
    users: v.record(Name, v.array(Name)),
  }),
  v.check(
    ({ users }) => Object.values(users).some((roles) => roles.includes('root')),
    'gives nobody the role root: nobody could change rights',
  ),
  v.check(
    ({ roles, users }) =>
      Object.values(users).every((own) => own.every((role) => role === 'root' || role in roles)),
    'gives a user a role that is not among the roles',
  ),
  v.transform(
    ({ roles, users }): Foundation => ({
      roles: Object.entries(roles).map(([name, permissions]) => ({
        name: textBytes(name),
        permissions,
      })),
      users: Object.entries(users).map(([name, own]) => ({
        name: textBytes(name),
        roles: own.map(textBytes),
      })),
    }),
  ),
);
