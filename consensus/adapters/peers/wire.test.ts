import test from 'ava';
import { codec } from '../../../proto/codec.ts';
import { PeerMessage } from '../../../proto/gen/flotilla.raft.v1.ts';
import type { Configuration } from '../../core/configuration.ts';
import { logIndex, memberId, term } from '../../core/ids.ts';
import type { Message, MessageBody } from '../../core/message.ts';
import { fromWire } from './from-wire.ts';
import { toWire } from './to-wire.ts';

const from = memberId(1);
const to = memberId(2);
const configuration: Configuration = {
  voters: [1, 2, 3].map(memberId),
  learners: [4, 5].map(memberId),
  joining: [memberId(5)],
  addresses: [{ member: memberId(4), peers: ['host-4:2380', '[::1]:2380'] }],
};
const proposal = { id: { member: from, number: 2 ** 33 + 1 }, command: Buffer.from('put') };

const bodies: readonly MessageBody[] = [
  { kind: 'pre-vote', lastIndex: logIndex(7), lastTerm: term(2) },
  { kind: 'pre-vote-reply', asked: term(4), granted: true },
  { kind: 'vote', lastIndex: logIndex(7), lastTerm: term(2), force: true },
  { kind: 'vote-reply', granted: false },
  {
    kind: 'append',
    previousIndex: logIndex(9),
    previousTerm: term(2),
    entries: [
      { index: logIndex(10), term: term(2), payload: { kind: 'noop' } },
      { index: logIndex(11), term: term(3), payload: { kind: 'command', proposal } },
      {
        index: logIndex(12),
        term: term(3),
        payload: { kind: 'configuration', configuration, proposal: null },
      },
    ],
    commit: logIndex(8),
    round: 5,
  },
  { kind: 'append-reply', match: logIndex(12), round: 5 },
  {
    kind: 'append-rejected',
    rejected: logIndex(9),
    hintIndex: logIndex(3),
    hintTerm: term(1),
    round: 0,
  },
  { kind: 'heartbeat', commit: logIndex(3), match: logIndex(0), round: 1 },
  { kind: 'heartbeat-reply', round: 1 },
  { kind: 'commit', commit: logIndex(9), match: logIndex(8) },
  {
    kind: 'snapshot-chunk',
    snapshot: { index: logIndex(5), term: term(1), configuration },
    offset: 4096,
    data: Buffer.from('piece'),
    last: true,
  },
  { kind: 'snapshot-reply', index: logIndex(5), received: 4101, installed: true },
  { kind: 'propose', proposals: [proposal] },
  { kind: 'propose-refused', numbers: [1, 2], reason: 'transferring' },
  {
    kind: 'change',
    number: 2 ** 33 + 2,
    change: { kind: 'add', member: memberId(6), peers: ['h:1'], staysLearner: true },
  },
  { kind: 'change', number: 3, change: { kind: 'promote', member: memberId(6) } },
  { kind: 'change', number: 4, change: { kind: 'remove', member: memberId(6) } },
  { kind: 'change', number: 5, change: { kind: 'update', member: memberId(6), peers: ['h:2'] } },
  { kind: 'change-refused', number: 5, reason: 'not-caught-up' },
  { kind: 'read', id: 2 ** 34 },
  { kind: 'read-reply', id: 2 ** 34, index: logIndex(9) },
  { kind: 'take-over' },
];

function nameOf(body: MessageBody): string {
  return body.kind === 'change' ? `change, ${body.change.kind}` : body.kind;
}

const wire = codec(PeerMessage);

for (const body of bodies)
  test(`a message survives the wire: ${nameOf(body)}`, (t) => {
    const message: Message = { from, to, term: term(3), ...body };
    const read = fromWire(from, to, wire.decode(wire.encode(toWire(message))));
    t.is(JSON.stringify(read), JSON.stringify({ from, to, term: 3, ...body }));
  });

test('an append whose entries do not follow one another is not a message', (t) => {
  const append = (previousIndex: number, messageTerm: number): Message => ({
    from,
    to,
    term: term(messageTerm),
    kind: 'append',
    previousIndex: logIndex(previousIndex),
    previousTerm: term(1),
    entries: [{ index: logIndex(5), term: term(2), payload: { kind: 'noop' } }],
    commit: logIndex(0),
    round: 0,
  });
  const read = (message: Message): Message | null =>
    fromWire(from, to, wire.decode(wire.encode(toWire(message))));
  t.not(read(append(4, 2)), null);
  t.is(read(append(3, 2)), null, 'a gap');
  t.is(read(append(4, 1)), null, 'an entry of a term that has not begun');
});

test('a message without a body is not a message', (t) => {
  t.is(fromWire(from, to, wire.decode(wire.encode({ term: 3 }))), null);
});
