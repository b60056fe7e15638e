import type { Brand } from '../../base/brand.ts';
import { type ByteString, emptyBytes } from './byte-string.ts';

/** A state of the store. The empty store is at 1; each command that changes keys adds 1. */
export type Revision = Brand<number, 'Revision'>;

/** The id of a lease: any signed 64-bit integer but 0. */
export type LeaseId = Brand<bigint, 'LeaseId'>;

/** The lease of a key that has none. */
export const noLease = 0n as LeaseId;

/**
 * What one key became at one revision. A deletion is a version too: a tombstone, whose `version`
 * is 0. All fields but `previous` never change.
 */
export interface Version {
  readonly key: ByteString;
  readonly value: ByteString;
  /** The revision at which the key came to be, since it was last deleted. */
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** Position among the changes of the same revision, from 0. */
  readonly sub: number;
  /** How often the key was written since it came to be: 1 at first, 0 for a tombstone. */
  readonly version: number;
  readonly lease: LeaseId;
  /** The same key before; null where there is nothing before, or it was compacted. */
  previous: Version | null;
}

/** Whether this version says that the key is deleted. */
export function isTombstone(version: Version): boolean {
  return version.version === 0;
}

/** The version that says that `previous.key` is deleted from `revision` on. */
export function tombstone(previous: Version, revision: Revision, sub: number): Version {
  return {
    key: previous.key,
    value: emptyBytes,
    createRevision: 0 as Revision,
    modRevision: revision,
    sub,
    version: 0,
    lease: noLease,
    previous,
  };
}

/** The key as it was at `revision`, or null where it did not exist then. */
export function versionAt(latest: Version, revision: Revision): Version | null {
  let version: Version | null = latest;
  while (version !== null && version.modRevision > revision) version = version.previous;
  return version === null || isTombstone(version) ? null : version;
}
