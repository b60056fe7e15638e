import type { Node } from '../node.ts';
import type { StartFailure } from './failure.ts';

/** What the watch needs of a member. */
export type DiskOwner = Pick<Node<unknown>, 'disk' | 'onStatus'>;

/**
 * Resolves when a member's disk has failed: then the member ends. What the disk holds of the last
 * write is known only to who reads it again, at a start. A full disk is waited for. What is damaged
 * is so after a start as well.
 */
export function diskFailure(owner: DiskOwner): {
  readonly failed: Promise<StartFailure>;
  stop(): void;
} {
  let stop = () => {};
  const failed = new Promise<StartFailure>((resolve) => {
    stop = owner.onStatus(() => {
      const { state, error } = owner.disk();
      const detail = `the disk of this member failed: ${error?.detail ?? 'it says nothing more'}`;
      if (state === 'failed') resolve({ isFinal: error?.code === 'damaged', detail });
    });
  });
  return { failed, stop: () => stop() };
}
