import test from 'ava';
import { eventPortOf } from './control-ring.ts';

test("a xenstore domain's port is what follows --event among the kernel's words", (t) => {
  t.is(eventPortOf('loglevel=4 flotilla.log=kmsg --event 7\n'), 7);
  t.is(eventPortOf('--event 12 --internal-db'), 12);
  t.is(eventPortOf('--event=3'), 3);
});

test('without such a word, or with another value than a number, there is no port', (t) => {
  for (const words of [
    '',
    'quiet',
    '--event',
    '--event x',
    'a--event 3',
    '--event 3x',
    '--events 3',
  ])
    t.is(eventPortOf(words), null, words);
});
