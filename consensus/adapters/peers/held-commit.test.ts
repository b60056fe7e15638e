import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { logIndex, memberId, term } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import { HeldCommit } from './held-commit.ts';

const envelope = { from: memberId(1), to: memberId(2), term: term(3) };

function commit(index: number): Message {
  return { ...envelope, kind: 'commit', commit: logIndex(index), match: logIndex(index) };
}

function append(commitIndex: number): Message {
  return {
    ...envelope,
    kind: 'append',
    previousIndex: logIndex(9),
    previousTerm: term(3),
    entries: [],
    commit: logIndex(commitIndex),
    round: 0,
  };
}

const read: Message = { ...envelope, kind: 'read', id: 1 };

test('news of the commit index is told by the append that follows it', async (t) => {
  const released: Message[] = [];
  const held = new HeldCommit((message) => released.push(message));
  t.deepEqual(held.pass(commit(5)), []);
  t.deepEqual(held.pass(append(5)), [append(5)]);
  t.deepEqual(held.pass(commit(6)), []);
  t.deepEqual(held.pass(commit(7)), []);
  t.deepEqual(held.pass(append(7)), [append(7)]);
  await delay(20);
  t.deepEqual(released, []);
});

test('news that nothing tells leaves by itself, and goes before what does not tell it', async (t) => {
  const released: Message[] = [];
  const held = new HeldCommit((message) => released.push(message));
  held.pass(commit(5));
  t.deepEqual(held.pass(read), [commit(5), read]);
  held.pass(commit(6));
  t.deepEqual(held.pass(append(5)), [commit(6), append(5)], 'an append that knows less');
  held.pass(commit(7));
  while (released.length === 0) await delay(1);
  t.deepEqual(released, [commit(7)]);
});

test('who has handed over a proposal is told at once', (t) => {
  const held = new HeldCommit(() => t.fail());
  held.proposed();
  t.deepEqual(held.pass(commit(5)), [commit(5)]);
  held.clear();
});
