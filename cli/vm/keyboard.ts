import type { Context } from '../context.ts';

/** Leaves the console: what telnet, virsh and xl have for it. */
export const escapeKey = 0x1d;
export const escapeKeyName = 'Ctrl-]';

/** What is typed or piped, for as long as a console is open. */
export interface Keyboard {
  /** Whether every key goes to the guest, and only the escape key to us. */
  readonly raw: boolean;
  /** Gives the terminal back as it was. */
  close(): void;
}

/**
 * Passes on what is typed. On a terminal it is put into raw mode, so that Ctrl-C goes to the guest; it
 * is put back when the keyboard is closed and when the process ends otherwise. Where only the output
 * is piped, the terminal is left alone.
 */
export function openKeyboard(
  { stdin, stdout, onTermination }: Context,
  onKeys: (bytes: Uint8Array) => void,
  onEscape: () => void,
): Keyboard {
  const raw = stdin.isTty && stdout.isTty;
  if (stdin.isTty && !raw) return { raw, close: () => {} };
  const restore = (): void => {
    if (raw) stdin.setRawMode(false);
  };
  const receive = (chunk: Buffer | string): void => {
    const bytes = Buffer.from(chunk);
    const at = raw ? bytes.indexOf(escapeKey) : -1;
    const typed = at < 0 ? bytes : bytes.subarray(0, at);
    if (typed.length > 0) onKeys(typed);
    if (at >= 0) onEscape();
  };
  if (raw) stdin.setRawMode(true);
  const forget = onTermination(restore);
  stdin.stream.on('data', receive).resume();
  return {
    raw,
    close: () => {
      stdin.stream.off('data', receive).pause();
      restore();
      forget();
    },
  };
}
