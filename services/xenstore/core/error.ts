/** The errors that xenstore's protocol knows, by the names that are sent. */
export type XenstoreError =
  | 'EINVAL'
  | 'EACCES'
  | 'EEXIST'
  | 'ENOENT'
  | 'ENOSYS'
  | 'EBUSY'
  | 'EAGAIN'
  | 'E2BIG'
  | 'EQUOTA'
  | 'ENOSPC';
