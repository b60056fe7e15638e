import { status } from '@grpc/grpc-js';
import type { AuthFailure } from '../../../kv/auth/change.ts';

/** How rights are refused, as etcd words it (its api/v3rpc/rpctypes). */
export const authFailures = {
  'no-root-user': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: root user does not exist',
  },
  'no-root-role': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: root user does not have root role',
  },
  'user-exists': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: user name already exists',
  },
  'user-not-found': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: user name not found',
  },
  'user-name-empty': {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: user name is empty',
  },
  'role-exists': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: role name already exists',
  },
  'role-not-found': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: role name not found',
  },
  'role-name-empty': {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: role name is empty',
  },
  'role-not-granted': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: role is not granted to the user',
  },
  'permission-not-granted': {
    code: status.FAILED_PRECONDITION,
    message: 'etcdserver: permission is not granted to the role',
  },
  'invalid-auth-management': {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: invalid auth management',
  },
  'auth-too-large': {
    code: status.RESOURCE_EXHAUSTED,
    message: 'etcdserver: too many or too long names of users, roles or permissions',
  },
  'permission-denied': {
    code: status.PERMISSION_DENIED,
    message: 'etcdserver: permission denied',
  },
  // What etcd says to who shows no certificate while rights are enforced.
  unauthenticated: {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: user name is empty',
  },
} as const satisfies Readonly<
  Record<AuthFailure, { readonly code: status; readonly message: string }>
>;

/** What is refused though etcd has it: here a user is who has a certificate of that name. */
export const identityFailures = {
  passwordGiven: {
    code: status.INVALID_ARGUMENT,
    message:
      'etcdserver: users have no passwords here, they are the common names of certificates: add the user with --no-password',
  },
  passwordChanged: {
    code: status.INVALID_ARGUMENT,
    message:
      'etcdserver: users have no passwords here: a user is who has a certificate of that common name',
  },
  passwordLogin: {
    code: status.INVALID_ARGUMENT,
    message:
      'etcdserver: users do not log in here: show a certificate whose common name is the user (--cacert, --cert, --key)',
  },
  noPermission: {
    code: status.INVALID_ARGUMENT,
    message: 'etcdserver: permission not given',
  },
  unimplemented: {
    code: status.UNIMPLEMENTED,
    message: 'etcdserver: this version does not serve that method',
  },
  notFounded: {
    code: status.UNAVAILABLE,
    message: 'etcdserver: the rights of this new pool are not set up yet',
  },
} as const satisfies Readonly<Record<string, { readonly code: status; readonly message: string }>>;
