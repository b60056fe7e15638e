import test from 'ava';
import { logIndex, memberId, term } from '../../core/ids.ts';
import type { Message, MessageBody } from '../../core/message.ts';
import { PeerQueue, queueMessagesMax } from './queue.ts';

function message(body: MessageBody): Message {
  return { from: memberId(1), to: memberId(2), term: term(1), ...body };
}

function heartbeat(round: number): Message {
  return message({ kind: 'heartbeat', commit: logIndex(0), match: logIndex(0), round });
}

test('a full queue drops the oldest heartbeat, and keeps what is not sent again', (t) => {
  const queue = new PeerQueue();
  t.false(queue.push(message({ kind: 'read', id: 7 })));
  for (let round = 1; round < queueMessagesMax; round += 1) t.false(queue.push(heartbeat(round)));
  t.true(queue.push(message({ kind: 'read', id: 8 })));
  const taken: Message[] = [];
  while (!queue.isEmpty) taken.push(...queue.take());
  t.is(taken.length, queueMessagesMax);
  t.like(taken[0], { kind: 'read', id: 7 });
  t.like(taken[1], { kind: 'heartbeat', round: 2 });
  t.like(taken.at(-1), { kind: 'read', id: 8 });
});

test('a frame has a bound, but one message always fits', (t) => {
  const queue = new PeerQueue();
  const proposal = (bytes: number): Message => {
    const id = { member: memberId(1), number: 1 };
    return message({ kind: 'propose', proposals: [{ id, command: new Uint8Array(bytes) }] });
  };
  queue.push(proposal(2 ** 20));
  queue.push(proposal(300_000));
  queue.push(proposal(300_000));
  const sizes: number[] = [];
  while (!queue.isEmpty) sizes.push(queue.take().length);
  t.deepEqual(sizes, [1, 1, 1]);
  t.false(queue.clear());
});
