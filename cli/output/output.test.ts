import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import type { TextOutput } from '../context.ts';
import { age, count, part, size, span, stopwatch } from './humane.ts';
import { clip, liveRegion } from './live-region.ts';
import { plainStyle, styleFor } from './style.ts';
import { tableLines } from './table.ts';

function terminal(columns: number, rows: number): TextOutput & { readonly text: string } {
  let text = '';
  return {
    write: (written) => {
      text += written;
    },
    isTty: true,
    columns,
    rows,
    get text() {
      return text;
    },
  };
}

test('times and sizes are written for people', (t) => {
  t.deepEqual(
    [0, 119_999, 120_000, 7_200_000, 172_800_000].map((each) => span(milliseconds(each))),
    ['0s', '119s', '2m', '2h', '2d'],
  );
  t.is(age({ seconds: 100, nanos: 0 }, milliseconds(90_000)), '0s', 'a clock that is behind');
  t.is(age(null, milliseconds(0)), '-');
  t.deepEqual(
    [0, 1250, 59_999, 125_000].map((each) => stopwatch(milliseconds(each))),
    ['0.0 s', '1.2 s', '59.9 s', '2 min 5 s'],
  );
  t.is(size(0), '-');
  t.is(part(2 ** 30, 8 * 2 ** 30), '1 GiB of 8 GiB');
  t.is(`${count(1, 'disk')}, ${count(2, 'disk')}`, '1 disk, 2 disks');
});

test('columns line up, numbers on the right', (t) => {
  const columns = [{ heading: 'NAME' }, { heading: 'VCPUS', align: 'right' as const }];
  t.deepEqual(
    tableLines(
      columns,
      [
        ['web', '1'],
        ['database', '16'],
      ],
      plainStyle,
    ),
    ['NAME      VCPUS', 'web           1', 'database     16'],
  );
});

test('a line is cut to the columns of the terminal; colours take none and are closed', (t) => {
  t.is(clip('abcdef', 4), 'abcd');
  t.is(clip('\x1b[32mabcdef\x1b[39m', 4), '\x1b[32mabcd\x1b[39m');
  t.is(clip('✓✓✓', 2), '✓✓');
});

test('a region is drawn over, and not again while nothing changes', (t) => {
  const output = terminal(20, 10);
  const region = liveRegion(output);
  region.draw(['one', 'two']);
  region.draw(['one', 'two']);
  region.draw(['three']);
  region.keep();
  const up = '\x1b[1A';
  t.is(output.text, `\x1b[?25lone\ntwo\n\r${up}${up}\x1b[0Jthree\n\r\x1b[0J\x1b[?25h`);
});

test('more lines than the terminal has rows are counted, not scrolled', (t) => {
  const output = terminal(20, 4);
  liveRegion(output).draw(['1', '2', '3', '4', '5']);
  t.is(output.text, '\x1b[?25l1\n2\n... 3 more\n');
});

test('colours are for terminals that want them', (t) => {
  const screen = terminal(80, 24);
  t.is(styleFor(screen, {}).paint('good', 'x'), '\x1b[32mx\x1b[39m');
  t.is(styleFor(screen, { NO_COLOR: '1' }).paint('good', 'x'), 'x');
  t.is(styleFor(screen, { TERM: 'dumb' }).paint('good', 'x'), 'x');
  t.is(styleFor({ ...screen, isTty: false }, {}).paint('good', 'x'), 'x');
  t.true(styleFor(screen, { LANG: 'de_DE.UTF-8' }).unicode);
  t.false(styleFor(screen, { LANG: 'C' }).unicode);
});
