/** The errors that this xenstored sends, by the names of `xsd_errors` in xs_wire.h. */
export type XenstoreError =
  | 'EINVAL'
  | 'EACCES'
  | 'EEXIST'
  | 'ENOENT'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'EIO'
  | 'ENOSYS'
  | 'EBUSY'
  | 'EAGAIN'
  | 'E2BIG'
  | 'EPERM';
