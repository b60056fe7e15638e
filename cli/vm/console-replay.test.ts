import test from 'ava';
import fc from 'fast-check';
import { type ConsoleReplay, consoleReplay } from './console-replay.ts';

function receive(replay: ConsoleReplay, ...chunks: readonly string[]): string {
  return chunks.map((chunk) => Buffer.from(replay.receive(Buffer.from(chunk))).toString()).join('');
}

test('a console that is opened for the first time is shown as it comes', (t) => {
  t.is(receive(consoleReplay(), 'boot', 'ing'), 'booting');
});

test('what was seen before is not shown again, however the repetition is cut', (t) => {
  const replay = consoleReplay();
  receive(replay, 'line 1\nline 2\n');
  replay.reopened();
  t.is(receive(replay, 'line 1\nli', 'ne 2\nli', 'ne 3\n'), 'line 3\n');
  t.is(receive(replay, 'line 4\n'), 'line 4\n');
});

test('a guest that was started anew repeats nothing: all of it is shown when it is quiet', (t) => {
  const replay = consoleReplay();
  receive(replay, 'first boot');
  replay.reopened();
  t.is(receive(replay, 'second boot'), '');
  t.is(Buffer.from(replay.settle()).toString(), 'second boot');
});

test('a console is shown once, byte for byte, wherever it is cut and opened again', (t) => {
  // Bytes that never repeat, so that the place of the cut is certain.
  const printed = Array.from({ length: 400 }, (_, index) => `${index} `).join('');
  const cuts = fc.record({
    cut: fc.integer({ min: 1, max: printed.length - 1 }),
    chunk: fc.integer({ min: 1, max: 500 }),
  });
  fc.assert(
    fc.property(cuts, ({ cut, chunk }) => {
      const replay = consoleReplay();
      let shown = receive(replay, printed.slice(0, cut));
      replay.reopened();
      for (let at = 0; at < printed.length; at += chunk)
        shown += receive(replay, printed.slice(at, at + chunk));
      return shown + Buffer.from(replay.settle()).toString() === printed;
    }),
  );
  t.pass();
});
