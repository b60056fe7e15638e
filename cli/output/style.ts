import { styleText } from 'node:util';
import type { Context, TextOutput } from '../context.ts';

/** What a piece of text means; how that looks is decided here alone. */
export type Tone = 'good' | 'bad' | 'busy' | 'faint' | 'strong';

/** How to mark text for one output: with colours, and with signs beyond ASCII, or without. */
export interface Style {
  readonly unicode: boolean;
  paint(tone: Tone, text: string): string;
}

const formats = {
  good: 'green',
  bad: 'red',
  busy: 'yellow',
  faint: 'dim',
  strong: 'bold',
} as const;

/**
 * Colours only on a terminal, and not where NO_COLOR is set (no-color.org) or TERM is `dumb`. Signs
 * beyond ASCII where the locale is UTF-8: a serial console's usually is not.
 */
export function styleFor(output: TextOutput, env: Context['env']): Style {
  const colours = output.isTty && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return {
    unicode: /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || ''),
    paint: (tone, text) =>
      colours && text !== '' ? styleText(formats[tone], text, { validateStream: false }) : text,
  };
}

/** No colours, and the signs of a UTF-8 terminal: for what is compared, such as golden files. */
export const plainStyle: Style = { unicode: true, paint: (_tone, text) => text };
