import test from 'ava';
import { runCommand } from './command.ts';
import { milliseconds } from './units.ts';

const patience = milliseconds(60_000);

test('a command gets its arguments as they are, and its output is returned', async (t) => {
  t.deepEqual(await runCommand('printf', ['%s|', '$HOME', 'a b', ';'], patience), {
    ok: true,
    value: '$HOME|a b|;|',
  });
});

test('a command that fails returns what it said, on one line', async (t) => {
  const result = await runCommand('sh', ['-c', 'echo one >&2; echo two >&2; exit 3'], patience);
  t.like(result, { ok: false, error: { kind: 'refused', detail: 'one; two' } });
});

test('a program that is not installed is told apart from one that fails', async (t) => {
  const result = await runCommand('flotilla-no-such-program', ['-x'], patience);
  const error = { kind: 'missing', command: 'flotilla-no-such-program -x', detail: '' };
  t.deepEqual(result, { ok: false, error });
});

test('a command that takes too long is killed', async (t) => {
  const result = await runCommand('sleep', ['600'], milliseconds(50));
  t.like(result, { ok: false, error: { kind: 'slow' } });
});
