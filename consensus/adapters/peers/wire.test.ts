import test from 'ava';
import { codec } from '../../../proto/codec.ts';
import { PeerFrame } from '../../../proto/gen/flotilla.raft.v1.ts';
import type { Configuration } from '../../core/configuration.ts';
import { logIndex, memberId, term } from '../../core/ids.ts';
import type { Message, MessageBody } from '../../core/message.ts';
import { decodeFrame, decodeMessages } from './read-frame.ts';
import { encodeGreeting, encodeMessages } from './write-frame.ts';

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

const wire = codec(PeerFrame);

/** The messages of a frame, as the other member reads them. */
function sent(frame: Buffer): readonly Message[] | null {
  const read = decodeFrame(frame);
  return read.kind === 'messages' ? decodeMessages(from, to, read.bytes) : null;
}

for (const body of bodies)
  test(`a message survives the wire: ${nameOf(body)}`, (t) => {
    const message: Message = { from, to, term: term(3), ...body };
    const expected = JSON.stringify([{ from, to, term: 3, ...body }]);
    const written = encodeMessages([message]);
    t.is(JSON.stringify(sent(written)), expected);
    const byProtobufjs = Buffer.from(wire.encode(wire.decode(written)));
    t.is(JSON.stringify(sent(byProtobufjs)), expected, 'it is what raft.proto declares');
  });

test('messages of one frame keep their order', (t) => {
  const messages = bodies.map((body): Message => ({ from, to, term: term(3), ...body }));
  t.is(JSON.stringify(sent(encodeMessages(messages))), JSON.stringify(messages));
});

test('a greeting survives the wire', (t) => {
  const greeting = {
    version: 2,
    oldestVersion: 1,
    pool: 'pool',
    from: 1,
    to: 2,
    address: 'a:1',
    configurationIndex: 7,
  };
  t.deepEqual(decodeFrame(encodeGreeting(greeting)), { kind: 'greeting', greeting });
});

test('bytes that are cut off, or changed, are no message or another one, and nothing is thrown', (t) => {
  const messages = bodies.map((body): Message => ({ from, to, term: term(3), ...body }));
  const whole = encodeMessages(messages);
  const frame = decodeFrame(whole);
  const bytes = frame.kind === 'messages' ? frame.bytes : Buffer.alloc(0);
  for (let length = 1; length < bytes.byteLength; length += 1) {
    const read = decodeMessages(from, to, bytes.subarray(0, length));
    t.true(read === null || read.length < messages.length);
  }
  for (let at = 0; at < bytes.byteLength; at += 1)
    for (const value of [0, 0x7f, 0xff]) {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      const read = decodeMessages(from, to, changed);
      t.true(read === null || Array.isArray(read));
    }
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
  const read = (message: Message) => sent(encodeMessages([message]));
  t.not(read(append(4, 2)), null);
  t.is(read(append(3, 2)), null, 'a gap');
  t.is(read(append(4, 1)), null, 'an entry of a term that has not begun');
});

test('a change that gives a member addresses which nobody could read back is not a message', (t) => {
  const read = (peers: readonly string[]) => {
    const change = { kind: 'update', member: memberId(6), peers } as const;
    return sent(encodeMessages([{ from, to, term: term(3), kind: 'change', number: 5, change }]));
  };
  t.not(read(['h:1', 'h:2']), null);
  for (const peers of [[], [''], ['h'.repeat(301)], Array.from({ length: 17 }, (_, i) => `h:${i}`)])
    t.is(read(peers), null);
});

test('a message without a body is not a message', (t) => {
  t.is(sent(Buffer.from(wire.encode({ messages: { messages: [{ term: 3 }] } }))), null);
});
