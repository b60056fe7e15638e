import type { TextOutput } from '../context.ts';

/** The last lines of a terminal, which are drawn again in place. */
export interface LiveRegion {
  /** Replaces what was drawn before. */
  draw(lines: readonly string[]): void;
  /** Leaves what is drawn, and writes below it from now on. */
  keep(): void;
  /** Takes away what was drawn. */
  clear(): void;
}

const upOneLine = '\x1b[1A';
const eraseToEnd = '\x1b[0J';
const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';

/**
 * A region at the cursor. Lines are cut to the terminal's width and height: one that wrapped or
 * scrolled could not be drawn over.
 */
export function liveRegion(output: TextOutput): LiveRegion {
  let drawn = 0;
  let before = '';
  const wipe = (): string => (drawn === 0 ? '' : `\r${upOneLine.repeat(drawn)}${eraseToEnd}`);
  return {
    draw: (lines) => {
      const shown = fitting(lines, output.columns, output.rows);
      const text = shown.map((line) => `${line}\n`).join('');
      if (drawn > 0 && text === before) return;
      output.write(`${drawn === 0 ? hideCursor : ''}${wipe()}${text}`);
      drawn = shown.length;
      before = text;
    },
    keep: () => {
      // What the terminal echoed at the cursor, such as ^C, is wiped.
      if (drawn > 0) output.write(`\r${eraseToEnd}${showCursor}`);
      drawn = 0;
    },
    clear: () => {
      if (drawn > 0) output.write(`${wipe()}${showCursor}`);
      drawn = 0;
    },
  };
}

/** As much of `lines` as `columns` by `rows` hold, with the last row left for the cursor. */
function fitting(lines: readonly string[], columns: number, rows: number): readonly string[] {
  const room = Math.max(1, rows - 1);
  const shown =
    lines.length <= room
      ? lines
      : [...lines.slice(0, room - 1), `... ${lines.length - room + 1} more`];
  return shown.map((line) => clip(line, columns));
}

/** The start of a line that fills `columns`; colour codes take no room, and all of them stay. */
export function clip(line: string, columns: number): string {
  let room = columns;
  let clipped = '';
  let inCode = false;
  for (const character of line) {
    if (character === '\x1b') inCode = true;
    if (inCode) {
      clipped += character;
      if (character === 'm') inCode = false;
    } else if (room > 0) {
      clipped += character;
      room -= 1;
    }
  }
  return clipped;
}
