import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Entry } from '../../core/entry.ts';
import { logIndex, memberId, term } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import { HeldMessages, heldBytesMax, heldMessagesMax } from './held-messages.ts';

const envelope = { from: memberId(1), to: memberId(2), term: term(3) };

function commit(index: number): Message {
  return { ...envelope, kind: 'commit', commit: logIndex(index), match: logIndex(index) };
}

function append(commitIndex: number, size = 0): Message {
  const proposal = { id: { member: memberId(1), number: 1 }, command: new Uint8Array(size) };
  const payload = { kind: 'command', proposal } as const;
  const entry: Entry = { index: logIndex(10), term: term(3), payload };
  return {
    ...envelope,
    kind: 'append',
    previousIndex: logIndex(9),
    previousTerm: term(3),
    entries: size === 0 ? [] : [entry],
    commit: logIndex(commitIndex),
    round: 0,
  };
}

function heartbeat(round: number): Message {
  return { ...envelope, kind: 'heartbeat', commit: logIndex(5), match: logIndex(5), round };
}

const read: Message = { ...envelope, kind: 'read', id: 1 };

function holding(): { held: HeldMessages; released: Message[] } {
  const released: Message[] = [];
  return { held: new HeldMessages((messages) => released.push(...messages)), released };
}

test('news of the commit index is told by the append that follows it', async (t) => {
  const { held, released } = holding();
  t.deepEqual(held.pass(commit(5), false), []);
  t.deepEqual(held.pass(append(5), false), [append(5)]);
  t.deepEqual(held.pass(commit(6), false), []);
  t.deepEqual(held.pass(commit(7), false), []);
  t.deepEqual(held.pass(append(7), false), [append(7)]);
  await delay(20);
  t.deepEqual(released, []);
});

test('news that nothing tells leaves by itself, and goes before what does not tell it', async (t) => {
  const { held, released } = holding();
  held.pass(commit(5), false);
  t.deepEqual(held.pass(read, false), [commit(5), read]);
  held.pass(commit(6), false);
  t.deepEqual(held.pass(append(5), false), [commit(6), append(5)], 'an append that knows less');
  held.pass(commit(7), false);
  while (released.length === 0) await delay(1);
  t.deepEqual(released, [commit(7)]);
});

test('appends to whom nobody hurries leave together after a moment, in order', async (t) => {
  const { held, released } = holding();
  for (const index of [5, 6, 7]) t.deepEqual(held.pass(append(index), true), []);
  while (released.length === 0) await delay(1);
  t.deepEqual(released, [append(5), append(6), append(7)]);
});

test('what is held goes before what does not wait', (t) => {
  const { held } = holding();
  held.pass(append(5), true);
  t.deepEqual(held.pass(append(6), false), [append(5), append(6)]);
  held.pass(append(7), true);
  t.deepEqual(held.pass(read, true), [append(7), read], 'a read is never held');
  held.clear();
});

test('of heartbeats that are held the newest says all', (t) => {
  const { held } = holding();
  held.pass(append(5), true);
  held.pass(heartbeat(1), true);
  held.pass(heartbeat(2), true);
  t.deepEqual(held.pass(read, false), [append(5), heartbeat(2), read]);
  held.clear();
});

test('no more is held than a number of messages, and a size', (t) => {
  const { held } = holding();
  for (let count = 1; count < heldMessagesMax; count += 1)
    t.deepEqual(held.pass(append(count), true), []);
  t.is(held.pass(append(heldMessagesMax), true).length, heldMessagesMax);
  t.deepEqual(held.pass(append(1), true), []);
  const large = append(2, heldBytesMax);
  t.deepEqual(held.pass(large, true), [append(1), large]);
  held.clear();
});

test('who waits for an outcome is told at once', (t) => {
  const held = new HeldMessages(() => t.fail());
  held.awaited();
  t.deepEqual(held.pass(commit(5), false), [commit(5)]);
  t.deepEqual(held.pass(append(6), true), [append(6)]);
  held.clear();
});

test('a connection that is gone takes with it what is held', async (t) => {
  const held = new HeldMessages(() => t.fail());
  held.pass(append(5), true);
  held.clear();
  await delay(20);
  t.deepEqual(held.pass(append(6), false), [append(6)]);
});
