import type { Bytes } from '../../base/units.ts';
import type { Sha256 } from './digest.ts';
import type { HostFileRole } from './host-manifest.ts';
import type { Manifest } from './manifest.ts';

/** What a file of a guest's image is for, and one of a host's. */
export type FileRole = 'kernel' | 'initramfs' | 'sbom' | HostFileRole;

/** A file as its manifest has it. */
export interface NamedFile {
  readonly role: FileRole;
  readonly file: string;
  readonly sha256: Sha256;
  /** Null where the manifest does not say. */
  readonly size: Bytes | null;
}

/** A file as it was found. */
export interface FoundFile {
  readonly sha256: Sha256;
  readonly size: Bytes;
}

/** All files that a manifest names. */
export function filesOf({ kernel, initramfs, sbom }: Manifest): readonly NamedFile[] {
  return [
    { role: 'kernel', file: kernel.file, sha256: kernel.sha256, size: kernel.size },
    { role: 'initramfs', file: initramfs.file, sha256: initramfs.sha256, size: initramfs.size },
    { role: 'sbom', file: sbom.file, sha256: sbom.sha256, size: null },
  ];
}

/**
 * How a file differs from what its manifest says, as a clause; null where it does not. `found` is
 * null where there is no such file.
 */
export function difference(named: NamedFile, found: FoundFile | null): string | null {
  const { role, file, sha256, size } = named;
  if (found === null) return `${file} (${role}) is missing; expected SHA-256 ${sha256}`;
  if (found.sha256 === sha256 && (size === null || found.size === size)) return null;
  const sizes = size === null || size === found.size ? '' : `, ${size} bytes`;
  const foundSizes = sizes === '' ? '' : `, ${found.size} bytes`;
  return `${file} (${role}): expected SHA-256 ${sha256}${sizes}, found ${found.sha256}${foundSizes}`;
}
