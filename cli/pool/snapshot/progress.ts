import { bytes, formatBytes } from '../../../base/units.ts';
import { liveRegion } from '../../output/live-region.ts';
import type { Voice } from '../../session.ts';

/** How far a copy is, on stderr. */
export interface TransferProgress {
  show(done: number, whole: number): void;
  close(): void;
}

/** Cells of the bar. */
const width = 30;
/** A large copy has thousands of pieces: how often it is drawn, in milliseconds. */
const redrawEvery = 100;
/** Where nobody looks at a terminal, a line each time this much more is done. */
const lineEvery = 0.25;

/** A bar on a terminal, some lines elsewhere, nothing where a program reads the answer. */
export function transferProgress(
  { context, json, errorStyle }: Voice,
  title: string,
): TransferProgress {
  if (json) return { show: () => {}, close: () => {} };
  const words = (done: number, whole: number): string =>
    `${title}: ${formatBytes(bytes(done))} of ${formatBytes(bytes(whole))}`;
  if (!context.stderr.isTty) {
    let told = 0;
    return {
      show: (done, whole) => {
        const part = whole === 0 ? 1 : done / whole;
        if (part < told + lineEvery) return;
        told = part;
        context.stderr.write(`${words(done, whole)}\n`);
      },
      close: () => {},
    };
  }
  const region = liveRegion(context.stderr);
  const [full, empty] = errorStyle.unicode ? ['█', '░'] : ['#', '.'];
  const restore = context.onTermination(() => region.keep());
  let drawn = 0;
  return {
    show: (done, whole) => {
      const now = context.now();
      if (now - drawn < redrawEvery && done < whole) return;
      drawn = now;
      const cells = whole === 0 ? width : Math.floor((done / whole) * width);
      const bar = `${full.repeat(cells)}${empty.repeat(width - cells)}`;
      region.draw([`${errorStyle.paint('busy', bar)} ${words(done, whole)}`]);
    },
    close: () => {
      region.clear();
      restore();
    },
  };
}
