// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType } from '../codec.ts';

export interface UserAddOptions {
  /** The user proves who it is by a certificate. */
  readonly noPassword: boolean;
}
export const UserAddOptions: MessageType<UserAddOptions> = { name: 'authpb.UserAddOptions', file: 'etcd/auth.proto' };

/** What a role may do with keys. */
export interface Permission {
  readonly permType: Permission_Type;
  readonly key: Uint8Array;
  /** The first key that is outside; empty for `key` alone, one zero byte for no upper end. */
  readonly rangeEnd: Uint8Array;
}
export const Permission: MessageType<Permission> = { name: 'authpb.Permission', file: 'etcd/auth.proto' };

export type Permission_Type =
  | 'READ'
  | 'WRITE'
  | 'READWRITE';
