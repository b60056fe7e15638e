import Table from 'cli-table3';
import type { Style } from './style.ts';

/** One column: its heading, and how numbers and sizes line up. */
export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

const compact = { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true };

/** An aligned table, one row a line, as `ls -l` and `ps` print them: no borders to cut away. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): readonly string[] {
  const table = new Table({
    head: columns.map((column) => style.paint('faint', column.heading)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: borderless,
    style: compact,
  });
  for (const row of rows) table.push([...row]);
  return lines(table.toString());
}

/** One thing's properties, a line each: the name, then the value; values line up. */
export function propertyLines(
  properties: readonly (readonly [name: string, value: string])[],
  style: Style,
): readonly string[] {
  const table = new Table({ chars: borderless, style: compact });
  for (const [name, value] of properties) table.push([style.paint('faint', name), value]);
  return lines(table.toString());
}

function lines(text: string): readonly string[] {
  return text.split('\n').map((line) => line.trimEnd());
}
