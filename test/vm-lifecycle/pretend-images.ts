import { ok } from '../../base/result.ts';
import type { ChainHead } from '../../pool/images/measurement.ts';
import { chainBeginning, headAfter, nextMeasurement } from '../../pool/images/measurement.ts';
import type { HostId, Timestamp } from '../../pool/records/identifiers.ts';
import type { GuestImages } from '../../services/vm-lifecycle/adapters/images/guest-images.ts';

/** Measures nothing: the hosts of a pretend pool have no files. */
export function pretendImages(): GuestImages {
  let head: ChainHead = chainBeginning('a pretend host' as HostId, 'a pretend boot');
  const release = () => Promise.resolve();
  return {
    measure: ({ kernel, ramdisk }) => Promise.resolve(ok({ kernel, ramdisk, release })),
    copies: { take: () => Promise.resolve(ok({ kernel: null, ramdisk: null, release })) },
    record: (measured) => {
      const next = nextMeasurement(head, { ...measured, time: 1 as Timestamp });
      head = headAfter(next);
      return Promise.resolve(ok(next));
    },
    close: () => Promise.resolve(),
  };
}
