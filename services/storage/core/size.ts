import { bounds } from '../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes, formatBytes } from '../../../base/units.ts';

/** What a disk is addressed by: every virtual size is a whole number of these. */
export const sectorSize = 512 as Bytes;

/**
 * The virtual size that a VDI gets when a client asks for `requested` bytes: rounded up to whole
 * sectors. The failure is a sentence that names the bound which `requested` breaks.
 */
export function virtualSizeFor(requested: number): Result<Bytes, string> {
  if (!Number.isSafeInteger(requested))
    return fail(`${requested} is not a whole number of bytes below 8 PiB`);
  if (requested < bounds.vdiSizeMin)
    return fail(`${requested} bytes are less than ${formatBytes(bounds.vdiSizeMin)}, the least`);
  if (requested > bounds.vdiSizeMax)
    return fail(`${requested} bytes are more than ${formatBytes(bounds.vdiSizeMax)}, the most`);
  return ok(bytes(Math.ceil(requested / sectorSize) * sectorSize));
}
