import test from 'ava';
import { Conversation } from '../../../test/golden/xenstore/conversation.ts';
import { rows } from '../../../test/golden/xenstore/rows.ts';

/** A guest 7 that may write below /d, and that has one quota of its own. */
function guest(quota = 'nodes', value = 1000): Conversation {
  const talk = new Conversation([1]);
  talk.say(1, 'MKDIR', '/d|');
  talk.say(1, 'SET_PERMS', '/d|b0|');
  talk.introduce(7);
  talk.say(1, 'SET_QUOTA', `7|${quota}|${value}|`);
  return talk;
}

test('[X54] XSA-272 every node that is made is counted, the missing parents too', (t) => {
  const talk = guest('nodes', 3);
  t.deepEqual(talk.say(7, 'WRITE', '/d/a/b/c/d|'), ['quota nodes of 7', '7 ERROR ENOSPC|']);
  t.deepEqual(talk.say(7, 'MKDIR', '/d/a/b|'), ['7 MKDIR OK|']);
  t.deepEqual(talk.say(7, 'WRITE', '/d/a/b/c|'), ['7 WRITE OK|']);
  t.deepEqual(talk.say(7, 'WRITE', '/d/e|'), ['quota nodes of 7', '7 ERROR ENOSPC|']);
  t.deepEqual(talk.say(7, 'WRITE', '/d/a/b/c|x'), ['7 WRITE OK|'], 'what is there is no new node');
  t.deepEqual(talk.say(7, 'RM', '/d/a/b|'), ['7 RM OK|']);
  t.deepEqual(talk.say(7, 'WRITE', '/d/e|'), ['7 WRITE OK|']);
});

test('[X54] nodes count for their owner, whoever makes, gives or removes them', (t) => {
  const talk = guest('nodes', 2);
  talk.say(1, 'WRITE', '/d/given/below|');
  talk.say(1, 'SET_PERMS', '/d/given|n7|');
  t.is(talk.store.domains.find(talk.domain(7))?.used.nodes, 1);
  talk.say(7, 'WRITE', '/d/own|');
  t.deepEqual(talk.say(7, 'WRITE', '/d/more|'), ['quota nodes of 7', '7 ERROR ENOSPC|']);
  talk.say(1, 'SET_PERMS', '/d/given/below|n7|');
  t.is(talk.store.domains.find(talk.domain(7))?.used.nodes, 3, 'the control domain may exceed it');
  talk.say(1, 'RM', '/d/given|');
  t.is(talk.store.domains.find(talk.domain(7))?.used.nodes, 1);
  t.deepEqual(talk.store.check(), []);
});

test('[X55] XSA-483 a domain that gets the id of a dead one begins with counts of its own', (t) => {
  const talk = guest('nodes', 2);
  talk.say(7, 'WRITE', '/d/a/b|');
  talk.gone(7);
  talk.introduce(7);
  t.is(talk.store.domains.find(talk.domain(7))?.used.nodes, 0);
  t.deepEqual(talk.say(1, 'GET_QUOTA', '7|nodes|'), ['1 GET_QUOTA 1000|']);
  talk.say(1, 'SET_QUOTA', '7|node-size|0|');
  for (let each = 0; each < 1000; each += 1) {
    t.deepEqual(talk.say(7, 'MKDIR', `/d/${each}|`), ['7 MKDIR OK|']);
    talk.takeAll();
  }
  t.deepEqual(talk.say(7, 'MKDIR', '/d/one-more|'), ['quota nodes of 7', '7 ERROR ENOSPC|']);
  talk.say(1, 'INTRODUCE', '7|1|5|');
  t.is(talk.store.domains.find(talk.domain(7))?.used.nodes, 1000, 'INTRODUCE forgets no count');
  t.deepEqual(talk.store.check(), []);
});

test('[X56] watches, transactions, the size of a node and its memory are bounded', (t) => {
  const watching = guest('watches', 1);
  watching.say(7, 'WATCH', '/d|t|');
  t.deepEqual(watching.say(7, 'WATCH', '/d|u|'), ['quota watches of 7', '7 ERROR ENOSPC|']);
  watching.say(7, 'UNWATCH', '/d|t|');
  t.is(watching.say(7, 'WATCH', '/d|u|')[0], '7 WATCH OK|');

  const open = guest('transactions', 1);
  open.say(7, 'TRANSACTION_START', '|');
  t.deepEqual(open.say(7, 'TRANSACTION_START', '|'), [
    'quota transactions of 7',
    '7 ERROR ENOSPC|',
  ]);
  open.say(7, 'TRANSACTION_END@1', 'F|');
  t.deepEqual(open.say(7, 'TRANSACTION_START', '|'), ['7 TRANSACTION_START 2|']);

  const sized = guest('node-size', 50);
  t.deepEqual(sized.say(7, 'WRITE', `/d/a|${'x'.repeat(26)}`), ['7 WRITE OK|']);
  const tooLarge = ['quota node-size of 7', '7 ERROR ENOSPC|'];
  t.deepEqual(sized.say(7, 'WRITE', `/d/a|${'x'.repeat(27)}`), tooLarge);
  t.deepEqual(sized.say(7, 'MKDIR', `/d/a/b|`), tooLarge, 'the names of children count');

  const full = guest('memory', 200);
  t.deepEqual(full.say(7, 'WRITE', `/d/a|${'x'.repeat(300)}`), [
    'quota memory of 7',
    '7 ERROR ENOMEM|',
  ]);
  t.deepEqual(full.say(7, 'WATCH', `/d|${'t'.repeat(300)}|`), [
    'quota memory of 7',
    '7 ERROR ENOMEM|',
  ]);
  t.deepEqual(full.store.check(), []);
});

test('[X57] XSA-326 a transaction has a bounded number of nodes, and cannot be committed beyond', (t) => {
  const talk = guest('transaction-nodes', 2);
  talk.say(7, 'TRANSACTION_START', '|');
  talk.say(7, 'READ@1', '/d|');
  talk.say(7, 'WRITE@1', '/d/a|');
  const exceeded = ['quota transaction-nodes of 7', '7 ERROR ENOSPC|'];
  t.deepEqual(talk.say(7, 'READ@1', '/d/b|'), exceeded);
  t.deepEqual(talk.say(7, 'WRITE@1', '/d/b|'), exceeded);
  t.deepEqual(talk.say(7, 'TRANSACTION_END@1', 'T|'), ['7 ERROR ENOMEM|']);
});

test('[X58] XSA-326 who leaves replies unread waits, until it has taken some', (t) => {
  const talk = guest('outstanding', 3);
  talk.say(7, 'READ', '/d|');
  talk.say(7, 'READ', '/d|');
  t.deepEqual(talk.say(7, 'READ', '/d|'), ['7 READ ', 'quota outstanding of 7', 'hold 7']);
  t.deepEqual(talk.step({ kind: 'taken', connection: 7, packets: 1 }), ['let go 7']);
  t.deepEqual(talk.step({ kind: 'taken', connection: 7, packets: 9 }), []);
  t.is(talk.store.domains.find(talk.domain(7))?.used.outstanding, 0);
  t.deepEqual(talk.store.check(), []);
});

test('[X58] XSA-326 who has others told waits, until they have taken it: the control domain too', (t) => {
  const talk = guest('outstanding', 3);
  talk.say(1, 'WATCH', '/d|t|');
  talk.takeAll();
  talk.say(7, 'WRITE', '/d/a|');
  t.true(talk.store.awaits(1));
  t.deepEqual(talk.say(7, 'WRITE', '/d/b|'), [
    '7 WRITE OK|',
    '1 WATCH_EVENT /d/b|t|',
    'quota outstanding of 7',
    'hold 7',
  ]);
  t.deepEqual(talk.step({ kind: 'taken', connection: 7, packets: 2 }), ['let go 7']);
  t.deepEqual(talk.say(7, 'WRITE', '/d/c|').slice(-1), ['hold 7']);
  t.deepEqual(talk.step({ kind: 'taken', connection: 1, packets: 1 }), []);
  t.deepEqual(talk.step({ kind: 'taken', connection: 1, packets: 2 }), ['let go 7']);
  t.false(talk.store.awaits(1));
});

test('[X59] XSA-326 an unread reply or event is memory of the guest that does not read it', (t) => {
  const talk = guest('memory', 600);
  talk.say(1, 'WRITE', `/d/long|${'x'.repeat(500)}`);
  talk.say(1, 'SET_PERMS', '/d/long|r0|');
  talk.say(7, 'WATCH', '/d|t|');
  talk.takeAll();
  t.deepEqual(talk.say(7, 'READ', '/d/long|').slice(1), []);
  t.deepEqual(talk.say(7, 'READ', '/d/long|').slice(1), ['quota memory of 7', 'hold 7']);
  t.deepEqual(talk.say(1, 'WRITE', '/d/x|'), ['1 WRITE OK|', 'quota memory of 7']);
  t.deepEqual(talk.step({ kind: 'taken', connection: 7, packets: 2 }), ['let go 7']);
  t.deepEqual(talk.say(1, 'WRITE', '/d/x|'), ['1 WRITE OK|', '7 WATCH_EVENT /d/x|t|']);
  talk.gone(7);
  t.deepEqual(talk.store.check(), []);
});

test('[X60] above the soft quota of memory the adapter is told, once', (t) => {
  const talk = guest('soft-memory', 100);
  t.deepEqual(talk.say(7, 'WRITE', `/d/a|${'x'.repeat(200)}`), [
    'quota soft-memory of 7',
    '7 WRITE OK|',
  ]);
  t.deepEqual(talk.say(7, 'WRITE', '/d/b|'), ['7 WRITE OK|']);
  talk.say(7, 'RM', '/d/a|');
  talk.takeAll();
  t.is(talk.say(7, 'WRITE', `/d/a|${'x'.repeat(200)}`)[0], 'quota soft-memory of 7');
});

test('[X61] no quota binds the control domain', (t) => {
  const talk = new Conversation([1]);
  for (const name of ['nodes', 'watches', 'outstanding', 'memory', 'transactions', 'node-size'])
    talk.say(1, 'SET_QUOTA', `0|${name}|1|`);
  for (let each = 0; each < 50; each += 1) {
    t.deepEqual(talk.say(1, 'WRITE', `/many/${each}|${'x'.repeat(4000)}`), ['1 WRITE OK|']);
    t.is(talk.say(1, 'WATCH', `/none/${each}|t|`).length, 2);
    t.is(talk.say(1, 'TRANSACTION_START', '|').length, 1);
  }
});

rows(
  '[X62] quotas are read and set: of new domains, or of one; 0 switches one off',
  [
    1,
    'GET_QUOTA',
    '',
    '1 GET_QUOTA nodes watches outstanding memory transactions transaction-nodes permissions path-max node-size soft-memory|',
  ],
  [1, 'GET_QUOTA', 'nodes|', '1 GET_QUOTA 1000|'],
  [1, 'GET_QUOTA', 'watches|', '1 GET_QUOTA 128|'],
  [1, 'GET_QUOTA', 'outstanding|', '1 GET_QUOTA 20|'],
  [1, 'GET_QUOTA', 'memory|', '1 GET_QUOTA 2621440|'],
  [1, 'GET_QUOTA', 'soft-memory|', '1 GET_QUOTA 2097152|'],
  [1, 'GET_QUOTA', 'transactions|', '1 GET_QUOTA 10|'],
  [1, 'GET_QUOTA', 'transaction-nodes|', '1 GET_QUOTA 1024|'],
  [1, 'GET_QUOTA', 'permissions|', '1 GET_QUOTA 5|'],
  [1, 'GET_QUOTA', 'node-permissions|', '1 GET_QUOTA 5|'],
  [1, 'GET_QUOTA', 'node-size|', '1 GET_QUOTA 2048|'],
  [1, 'GET_QUOTA', 'path-max|', '1 GET_QUOTA 2048|'],
  [1, 'GET_QUOTA', 'none|', '1 ERROR EINVAL|'],
  [1, 'GET_QUOTA', '1|2|3|', '1 ERROR EINVAL|'],
  [1, 'SET_QUOTA', 'nodes|5|', '1 SET_QUOTA OK|'],
  [1, 'GET_QUOTA', '7|nodes|', '1 GET_QUOTA 1000|'],
  [1, 'GET_QUOTA', '11|nodes|', '1 GET_QUOTA 5|'],
  [1, 'SET_QUOTA', '7|nodes|0|', '1 SET_QUOTA OK|'],
  [1, 'GET_QUOTA', '7|nodes|', '1 GET_QUOTA 0|'],
  [1, 'GET_QUOTA', 'nodes|', '1 GET_QUOTA 5|'],
  [1, 'SET_QUOTA', '7|nodes|-1|', '1 ERROR EINVAL|'],
  [1, 'SET_QUOTA', '7|nodes|4294967295|', '1 ERROR EINVAL|'],
  [1, 'SET_QUOTA', 'x|nodes|1|', '1 ERROR EINVAL|'],
  [1, 'SET_QUOTA', 'nodes|', '1 ERROR EINVAL|'],
);
