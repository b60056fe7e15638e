import type { AuthFailure } from './auth/change.ts';

/** Why the store refused a command or a query; nothing was changed. etcd has a message for each. */
export type StoreFailure =
  | 'empty-key'
  | 'key-not-found'
  | 'value-provided'
  | 'lease-provided'
  | 'too-many-operations'
  | 'duplicate-key'
  | 'compacted'
  | 'future-revision'
  | 'lease-not-found'
  | 'lease-exists'
  | 'lease-ttl-too-large'
  /** An alarm says that there is no room. */
  | 'no-space'
  /** An alarm says that members differ. */
  | 'corrupt'
  | AuthFailure;
