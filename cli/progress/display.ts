import type { Operation } from '../../proto/gen/flotilla.pool.v1.ts';
import { liveRegion } from '../output/live-region.ts';
import type { Session } from '../session.ts';
import { changeLines, observe, type Progress, progressLines } from './progress.ts';

/** Shows an operation on stderr while it goes on. */
export interface ProgressDisplay {
  show(operation: Operation): void;
  /** Says something on the side without disturbing what is drawn. */
  say(line: string): void;
  close(): void;
}

/** Between two turns of the spinner, in milliseconds. */
const redrawEvery = 100;

/**
 * Steps drawn in place on a terminal, a line for each change elsewhere, and nothing where a program
 * reads the answer.
 */
export function progressDisplay({ context, errorStyle, json }: Session): ProgressDisplay {
  let progress: Progress | undefined;
  if (json) return { show: () => {}, say: () => {}, close: () => {} };

  if (!context.stderr.isTty)
    return {
      show: (operation) => {
        const before = progress;
        progress = observe(before, operation, context.now());
        for (const line of changeLines(before, progress)) context.stderr.write(`${line}\n`);
      },
      say: (line) => context.stderr.write(`${line}\n`),
      close: () => {},
    };

  const region = liveRegion(context.stderr);
  const draw = (): void => {
    if (progress !== undefined) region.draw(progressLines(progress, context.now(), errorStyle));
  };
  const redrawing = setInterval(draw, redrawEvery);
  const restore = context.onTermination(() => region.keep());
  return {
    show: (operation) => {
      progress = observe(progress, operation, context.now());
      draw();
    },
    say: (line) => {
      region.clear();
      context.stderr.write(`${line}\n`);
      draw();
    },
    close: () => {
      clearInterval(redrawing);
      draw();
      region.keep();
      restore();
    },
  };
}
