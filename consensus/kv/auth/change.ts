import type { ByteString } from '../byte-string.ts';
import type { KeyRange } from '../key-range.ts';
import type { Permission } from './permission.ts';

/** A role with all that it allows. */
export interface RoleDescription {
  readonly name: ByteString;
  readonly permissions: readonly Permission[];
}

/** A user, who is whoever has a certificate of this common name. */
export interface UserDescription {
  readonly name: ByteString;
  readonly roles: readonly ByteString[];
}

/** Who may do what from the first moment of a pool on. */
export interface Foundation {
  readonly roles: readonly RoleDescription[];
  readonly users: readonly UserDescription[];
}

/** One change of who may do what. */
export type AuthChange =
  /** From now on rights are enforced. */
  | { readonly kind: 'enable' }
  | { readonly kind: 'disable' }
  | { readonly kind: 'add-user'; readonly user: ByteString }
  | { readonly kind: 'delete-user'; readonly user: ByteString }
  | { readonly kind: 'grant-role'; readonly user: ByteString; readonly role: ByteString }
  | { readonly kind: 'revoke-role'; readonly user: ByteString; readonly role: ByteString }
  | { readonly kind: 'add-role'; readonly role: ByteString }
  | { readonly kind: 'delete-role'; readonly role: ByteString }
  /** Where the role has a permission for just this range, it is replaced. */
  | {
      readonly kind: 'grant-permission';
      readonly role: ByteString;
      readonly permission: Permission;
    }
  | { readonly kind: 'revoke-permission'; readonly role: ByteString; readonly range: KeyRange }
  /** Adds all of these and enables, if nobody has changed anything before: otherwise it does nothing. */
  | ({ readonly kind: 'found' } & Foundation);

/** Why rights were not changed, or a request was refused for want of them. */
export type AuthFailure =
  | 'no-root-user'
  | 'no-root-role'
  | 'user-exists'
  | 'user-not-found'
  | 'user-name-empty'
  | 'role-exists'
  | 'role-not-found'
  | 'role-name-empty'
  | 'role-not-granted'
  | 'permission-not-granted'
  /** It would leave nobody who can change rights. */
  | 'invalid-auth-management'
  /** More users, roles or permissions than are kept. */
  | 'auth-too-large'
  | 'permission-denied'
  /** Rights are enforced, and who asks has no name. */
  | 'unauthenticated';
