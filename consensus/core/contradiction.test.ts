import test from 'ava';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { configurationOf } from './configuration.ts';
import type { Entry } from './entry.ts';
import { logIndex, memberId, term } from './ids.ts';
import type { Message, MessageBody } from './message.ts';
import type { Raft } from './raft.ts';

/** Member 1 leads term 1; its own entry and two commands are committed everywhere. */
function settled(): CorePool {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.propose(1, 'a', 'b');
  pool.settle();
  pool.tick(1, 20);
  pool.settle();
  return pool;
}

const message = (from: number, to: number, at: number, body: MessageBody): Message => ({
  from: memberId(from),
  to: memberId(to),
  term: term(at),
  ...body,
});

const entry = (index: number, at: number): Entry => ({
  index: logIndex(index),
  term: term(at),
  payload: { kind: 'noop' },
});

const append = (
  previous: readonly [number, number],
  ...entries: readonly Entry[]
): MessageBody => ({
  kind: 'append',
  previousIndex: logIndex(previous[0]),
  previousTerm: term(previous[1]),
  entries,
  commit: logIndex(0),
  round: 0,
});

const chunk = (index: number, at: number, offset = 0): MessageBody => ({
  kind: 'snapshot-chunk',
  snapshot: {
    index: logIndex(index),
    term: term(at),
    configuration: configurationOf([1, 2, 3].map(memberId)),
  },
  offset,
  data: Buffer.from('piece'),
  last: false,
});

const heartbeat = (match: number): MessageBody => ({
  kind: 'heartbeat',
  commit: logIndex(0),
  match: logIndex(match),
  round: 0,
});

const seen = ({ term, vote, role, leader, commit, log }: Raft) => ({
  ...{ term, vote, role, leader, commit, last: log.lastIndex, lastTerm: log.lastTerm },
});

/** What member 1, the leader, or member 2 is sent by member 3, and the words that it is refused with. */
const refused: readonly (readonly [string, Message, RegExp])[] = [
  [
    'a second leader of the term',
    message(3, 2, 1, heartbeat(0)),
    /leader of term 1, which is member 1/,
  ],
  [
    'the same, at the leader',
    message(3, 1, 1, append([0, 0])),
    /leader of term 1, which is member 1/,
  ],
  ['a snapshot by a second leader', message(3, 1, 1, chunk(9, 1)), /leader of term 1/],
  [
    'a hand-over by a member that does not lead',
    message(3, 2, 1, { kind: 'take-over' }),
    /leader of/,
  ],
  [
    'an answer to a read by a member that does not lead',
    message(3, 2, 1, { kind: 'read-reply', id: 1, index: logIndex(1) }),
    /leader of/,
  ],
  [
    'a refusal by a member that does not lead',
    message(3, 2, 1, { kind: 'propose-refused', numbers: [1], reason: 'transferring' }),
    /leader of/,
  ],
  [
    'other entries than those that are committed',
    message(3, 2, 2, append([1, 1], entry(2, 2))),
    /term 2 at 2.* term 1 is committed/,
  ],
  [
    'entries after another one than is committed',
    message(3, 2, 9, append([3, 9], entry(4, 9))),
    /term 9 at 3/,
  ],
  [
    'entries after an entry before the first',
    message(3, 2, 2, append([0, 1], entry(1, 2))),
    /entry 0 of term 1/,
  ],
  ['entries after one of a term to come', message(3, 2, 2, append([9, 3])), /entry 9 of term 3/],
  ['a snapshot that is not what is committed', message(3, 2, 2, chunk(3, 2)), /term 2 at 3/],
  [
    'a snapshot whose term lies before what is committed',
    message(3, 2, 2, chunk(9, 0)),
    /ends at 9 in term 0/,
  ],
  ['a snapshot of a term to come', message(3, 2, 2, chunk(9, 3)), /a snapshot of term 3/],
  [
    'a vote for a log of a term to come',
    message(3, 2, 2, { kind: 'vote', lastIndex: logIndex(9), lastTerm: term(3), force: true }),
    /its log ends in term 3/,
  ],
  [
    'a term that no pool has lived to see',
    message(3, 2, 2 ** 53 - 1, heartbeat(0)),
    /so many elections/,
  ],
  [
    'more than the leader has',
    message(3, 1, 1, { kind: 'append-reply', match: logIndex(4), round: 0 }),
    /answers to entry 4.* ends at 3/,
  ],
  [
    'a snapshot beyond what the leader has',
    message(3, 1, 1, { kind: 'snapshot-reply', index: logIndex(4), received: 0, installed: true }),
    /answers to entry 4/,
  ],
  [
    'a round that was not begun',
    message(3, 1, 1, { kind: 'heartbeat-reply', round: 7 }),
    /confirms round 7/,
  ],
  [
    'agreement beyond what it lacks',
    message(3, 1, 1, {
      kind: 'append-rejected',
      rejected: logIndex(2),
      hintIndex: logIndex(2),
      hintTerm: term(1),
      round: 0,
    }),
    /lacks entry 2, and may agree up to 2/,
  ],
  [
    'proposals whose numbers fall',
    message(3, 1, 1, {
      kind: 'propose',
      proposals: [9, 8].map((number) => ({
        id: { member: memberId(3), number },
        command: Buffer.from('x'),
      })),
    }),
    /do not rise/,
  ],
];

for (const [what, sent, words] of refused)
  test(`[R59] what cannot be is not listened to: ${what}`, (t) => {
    const pool = settled();
    const before = seen(pool.raft(sent.to));
    const outputs = pool.receive(sent);
    const [told] = outputs.contradictions;
    t.is(told?.from, memberId(3));
    t.regex(told?.detail ?? '', words);
    t.deepEqual(seen(pool.raft(sent.to)), before);
    t.like(outputs, {
      messages: [],
      persist: null,
      storeChunk: null,
      restore: null,
      committed: [],
    });
    t.is(outputs.lost, null);
  });

test('[R59] a leader does not take back what it has sent in its term', (t) => {
  const pool = settled();
  t.deepEqual(
    pool.receive(message(3, 2, 5, append([3, 1], entry(4, 4), entry(5, 5)))).contradictions,
    [],
  );
  const [told] = pool.receive(message(3, 2, 5, append([3, 1], entry(4, 5)))).contradictions;
  t.regex(told?.detail ?? '', /term 5 at 4, where that of term 4 is what it has sent itself/);
  t.is(pool.raft(2).log.lastIndex, logIndex(5));
  t.deepEqual(
    pool.receive(message(3, 2, 6, append([3, 1], entry(4, 6)))).contradictions,
    [],
    'another may',
  );
});

test('[R59] a snapshot does not become another one between its pieces', (t) => {
  const pool = settled();
  t.not(pool.receive(message(3, 2, 5, chunk(9, 4))).storeChunk, null);
  const [told] = pool.receive(message(3, 2, 5, chunk(9, 5, 5))).contradictions;
  t.regex(told?.detail ?? '', /ends at 9 in term 4 goes on as one of term 5/);
});

test('[R60] a member that has lost what it had confirmed says so, and takes no part in it', (t) => {
  const pool = settled();
  const outputs = pool.receive(message(1, 2, 1, heartbeat(4)));
  t.regex(outputs.lost ?? '', /lost entries that it had confirmed, up to 4.*add it again/);
  t.like(pool.raft(2), { commit: logIndex(3) });
});
