import { ok } from '../../../../base/result.ts';
import type { DiskAccess } from './disk-access.ts';

/** For simulated domains: they are given the image itself, so there is nothing to open or close. */
export const directAccess: DiskAccess = {
  open: (image) => Promise.resolve(ok({ path: image, device: '' })),
  close: () => Promise.resolve(ok(undefined)),
  list: () => Promise.resolve(ok(null)),
};
