import test from 'ava';
import { Conversation } from '../../../test/golden/xenstore/conversation.ts';
import { rows } from '../../../test/golden/xenstore/rows.ts';

rows(
  '[X63] CONTROL checks, and refuses what it does not know',
  [1, 'CONTROL', 'check|', '1 CONTROL OK|'],
  [1, 'CONTROL', 'check|x|', '1 ERROR EINVAL|'],
  [1, 'CONTROL', 'none|', '1 ERROR EINVAL|'],
  [1, 'CONTROL', '', '1 ERROR EINVAL|'],
  [1, 'CONTROL', 'quota|set|nodes|5|', '1 CONTROL OK|'],
  [1, 'GET_QUOTA', 'nodes|', '1 GET_QUOTA 5|'],
  [1, 'CONTROL', 'quota|set|nodes|0|', '1 ERROR EINVAL|'],
  [1, 'CONTROL', 'quota|set|none|1|', '1 ERROR EINVAL|'],
  [1, 'CONTROL', 'quota|77|', '1 ERROR ENOENT|'],
  [1, 'CONTROL', 'quota-soft|set|memory|77|', '1 CONTROL OK|'],
  [1, 'GET_QUOTA', 'soft-memory|', '1 GET_QUOTA 77|'],
  [1, 'CONTROL', 'quota-soft|set|nodes|77|', '1 ERROR EINVAL|'],
  [1, 'CONTROL', 'quota|max|-x|', '1 ERROR EINVAL|'],
);

test('[X63] CONTROL shows quotas, what domains use, and the most that any has used', (t) => {
  const talk = new Conversation([1, 7]);
  talk.say(7, 'WATCH', '@releaseDomain|t|');
  const line = (words: string) => (talk.say(1, 'CONTROL', words)[0] ?? '').split('\n');
  t.true(line('quota|').includes('watches          :      128 Watches of a domain'));
  t.true(line('quota|7|').includes('watches          :        1 (max        1)'));
  talk.say(7, 'UNWATCH', '@releaseDomain|t|');
  t.true(line('quota|max|').includes('watches          :        1'));
  t.true(line('quota|max|-r|').includes('watches          :        0'));
  t.true(line('quota-soft|')[1]?.startsWith('memory           :  2097152'));
  t.true(line('help|').some((each) => each.startsWith('live-update')));
  t.true(line('memreport|').includes('connections: 2'));
});

test("[X64] a command that is about the process is the adapter's to answer", (t) => {
  const talk = new Conversation([1, 2]);
  t.deepEqual(talk.say(1, 'CONTROL', 'live-update|-s|-t|60|'), [
    'ask #1 control live-update -s -t 60',
  ]);
  t.deepEqual(talk.say(2, 'CONTROL', 'print|words|'), ['ask #2 control print words']);
  t.deepEqual(talk.say(1, 'READ', '/tool|'), ['1 READ '], 'others are served meanwhile');
  t.deepEqual(talk.step({ kind: 'answer', ticket: 2, answer: { kind: 'text', text: 'OK' } }), [
    '2 CONTROL OK|',
  ]);
  t.deepEqual(
    talk.step({ kind: 'answer', ticket: 1, answer: { kind: 'refused', error: 'EBUSY' } }),
    ['1 ERROR EBUSY|'],
  );
  talk.say(1, 'CONTROL', 'log|');
  const text = 'x'.repeat(4096);
  t.deepEqual(talk.step({ kind: 'answer', ticket: 3, answer: { kind: 'text', text } }), [
    '1 ERROR E2BIG|',
  ]);
});
