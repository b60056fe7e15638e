import { median } from '../statistics.ts';
import type { Boots } from './boots.ts';
import type { DebianDomain } from './debian.ts';
import type { Subject } from './image.ts';

/** An image and what its rounds of boots gave. */
export interface Measured {
  readonly subject: Subject;
  readonly rounds: readonly Boots[];
}

/** Everything that a run has found. */
export interface Findings {
  readonly images: readonly Measured[];
  /** Null: it was not to be measured. */
  readonly debian: DebianDomain | null;
}

/** The median of one figure over the rounds. */
export function middle({ rounds }: Measured, figure: keyof Boots): number {
  return median(rounds.map((round) => round[figure]));
}

/** How long the service takes until it serves, beside the empty program and Node's own start together. */
export function startRatio(measured: Measured): number {
  const own = middle(measured, 'empty') + middle(measured, 'node');
  return middle(measured, 'serving') / own;
}

/** Kernel and initramfs, in bytes. */
export function imageSize({ subject: { manifest } }: Measured): number {
  return manifest.kernel.size + manifest.initramfs.size;
}

/** What a table calls an image. */
export function nameOf({ subject: { service, architecture } }: Measured): string {
  return `${service}, ${architecture}`;
}
