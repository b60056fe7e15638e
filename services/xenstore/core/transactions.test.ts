import test, { type ExecutionContext } from 'ava';
import { Conversation } from '../../../test/golden/xenstore/conversation.ts';
import { rows } from '../../../test/golden/xenstore/rows.ts';

rows(
  '[X36] a transaction sees its own changes, others see them at its end, and watches fire then',
  [1, 'WATCH', '/a|t|', '1 WATCH OK|', '1 WATCH_EVENT /a|t|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 1|'],
  [1, 'WRITE@1', '/a|1', '1 WRITE OK|'],
  [1, 'READ@1', '/a|', '1 READ 1'],
  [2, 'READ', '/a|', '2 ERROR ENOENT|'],
  [2, 'READ@1', '/a|', '2 ERROR ENOENT|'],
  [1, 'TRANSACTION_END@1', 'T|', '1 TRANSACTION_END OK|', '1 WATCH_EVENT /a|t|'],
  [2, 'READ', '/a|', '2 READ 1'],
  [1, 'READ@1', '/a|', '1 ERROR ENOENT|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 2|'],
  [1, 'RM@2', '/a|', '1 RM OK|'],
  [1, 'TRANSACTION_END@2', 'F|', '1 TRANSACTION_END OK|'],
  [2, 'READ', '/a|', '2 READ 1'],
);

rows(
  '[X37] only what a transaction has read conflicts: a value, a list, permissions',
  [1, 'WRITE', '/read|1', '1 WRITE OK|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 1|'],
  [1, 'READ@1', '/read|', '1 READ 1'],
  [1, 'WRITE@1', '/x|1', '1 WRITE OK|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 2|'],
  [1, 'WRITE@2', '/read|2', '1 WRITE OK|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 3|'],
  [1, 'DIRECTORY@3', '/tool|', '1 DIRECTORY xenstored|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 4|'],
  [1, 'READ@4', '/tool|', '1 READ '],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 5|'],
  [1, 'GET_PERMS@5', '/read|', '1 GET_PERMS n0|'],
  [1, 'WRITE', '/read|3', '1 WRITE OK|'],
  [1, 'WRITE', '/tool/new|', '1 WRITE OK|'],
  [1, 'TRANSACTION_END@1', 'T|', '1 ERROR EAGAIN|'],
  [1, 'READ', '/x|', '1 ERROR ENOENT|'],
  [1, 'TRANSACTION_END@2', 'T|', '1 TRANSACTION_END OK|'],
  [1, 'TRANSACTION_END@3', 'T|', '1 ERROR EAGAIN|'],
  [1, 'TRANSACTION_END@4', 'T|', '1 TRANSACTION_END OK|'],
  [1, 'TRANSACTION_END@5', 'T|', '1 ERROR EAGAIN|'],
  [1, 'READ', '/read|', '1 READ 2'],
);

rows(
  '[X38] a node that was missing when it was read, and is there at the end, is a conflict',
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 1|'],
  [1, 'READ@1', '/new|', '1 ERROR ENOENT|'],
  [1, 'WRITE@1', '/x|1', '1 WRITE OK|'],
  [1, 'WRITE', '/new|1', '1 WRITE OK|'],
  [1, 'TRANSACTION_END@1', 'T|', '1 ERROR EAGAIN|'],
  [1, 'WRITE', '/old|1', '1 WRITE OK|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 2|'],
  [1, 'READ@2', '/old|', '1 READ 1'],
  [1, 'RM', '/old|', '1 RM OK|'],
  [1, 'TRANSACTION_END@2', 'T|', '1 ERROR EAGAIN|'],
);

rows(
  '[X39] transactions that do not concern each other are both committed',
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 1|'],
  [2, 'TRANSACTION_START', '|', '2 TRANSACTION_START 2|'],
  [1, 'WRITE@1', '/dir/one|1', '1 WRITE OK|'],
  [2, 'WRITE@2', '/dir/two|2', '2 WRITE OK|'],
  [2, 'READ@2', '/dir/two|', '2 READ 2'],
  [2, 'TRANSACTION_END@2', 'T|', '2 TRANSACTION_END OK|'],
  [1, 'TRANSACTION_END@1', 'T|', '1 TRANSACTION_END OK|'],
  [1, 'DIRECTORY', '/dir|', '1 DIRECTORY two|one|'],
);

rows(
  '[X40] a change that is no longer possible at the end is a conflict',
  [1, 'MKDIR', '/d|', '1 MKDIR OK|'],
  [1, 'SET_PERMS', '/d|b0|', '1 SET_PERMS OK|'],
  [7, 'TRANSACTION_START', '|', '7 TRANSACTION_START 1|'],
  [7, 'WRITE@1', '/d/x|', '7 WRITE OK|'],
  [1, 'SET_PERMS', '/d|n0|', '1 SET_PERMS OK|'],
  [7, 'TRANSACTION_END@1', 'T|', '7 ERROR EAGAIN|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 2|'],
  [1, 'SET_PERMS@2', '/d|n7|', '1 SET_PERMS OK|'],
  [1, 'RM', '/d|', '1 RM OK|'],
  [1, 'TRANSACTION_END@2', 'T|', '1 ERROR EAGAIN|'],
);

rows(
  '[X41] what a transaction has set, made or removed itself does not conflict when it reads it',
  [1, 'WRITE', '/a|1', '1 WRITE OK|'],
  [1, 'WRITE', '/b|1', '1 WRITE OK|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 1|'],
  [1, 'WRITE@1', '/a|2', '1 WRITE OK|'],
  [1, 'READ@1', '/a|', '1 READ 2'],
  [1, 'WRITE@1', '/new/x|2', '1 WRITE OK|'],
  [1, 'DIRECTORY@1', '/new|', '1 DIRECTORY x|'],
  [1, 'RM@1', '/b|', '1 RM OK|'],
  [1, 'READ@1', '/b|', '1 ERROR ENOENT|'],
  [2, 'WRITE', '/a|3', '2 WRITE OK|'],
  [2, 'WRITE', '/b|3', '2 WRITE OK|'],
  [2, 'WRITE', '/new/y|3', '2 WRITE OK|'],
  [1, 'TRANSACTION_END@1', 'T|', '1 TRANSACTION_END OK|'],
  [1, 'READ', '/a|', '1 READ 2'],
  [1, 'DIRECTORY', '/new|', '1 DIRECTORY y|x|'],
  [1, 'READ', '/b|', '1 ERROR ENOENT|'],
);

rows(
  '[X42] at a commit watches fire once for each path, in the order of the first change',
  [2, 'WATCH', '/|t|', '2 WATCH OK|', '2 WATCH_EVENT /|t|'],
  [1, 'WRITE', '/old/x|', '1 WRITE OK|', '2 WATCH_EVENT /old/x|t|'],
  [2, 'WATCH', '/old/x|u|', '2 WATCH OK|', '2 WATCH_EVENT /old/x|u|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 1|'],
  [1, 'WRITE@1', '/b|1', '1 WRITE OK|'],
  [1, 'WRITE@1', '/a|1', '1 WRITE OK|'],
  [1, 'WRITE@1', '/b|2', '1 WRITE OK|'],
  [1, 'RM@1', '/old|', '1 RM OK|'],
  [1, 'MKDIR@1', '/old|', '1 MKDIR OK|'],
  [
    1,
    'TRANSACTION_END@1',
    'T|',
    '1 TRANSACTION_END OK|',
    '2 WATCH_EVENT /b|t|',
    '2 WATCH_EVENT /a|t|',
    '2 WATCH_EVENT /old|t|',
    '2 WATCH_EVENT /old/x|u|',
  ],
);

rows(
  '[X43] a transaction inside a transaction is EBUSY',
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 1|'],
  [1, 'TRANSACTION_START@1', '|', '1 ERROR EBUSY|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 2|'],
);

rows(
  '[X44] XSA-421 what is made and removed in one transaction was never there',
  [2, 'WATCH', '/|t|', '2 WATCH OK|', '2 WATCH_EVENT /|t|'],
  [1, 'TRANSACTION_START', '|', '1 TRANSACTION_START 1|'],
  [1, 'WRITE@1', '/a/b|1', '1 WRITE OK|'],
  [1, 'RM@1', '/a|', '1 RM OK|'],
  [1, 'READ@1', '/a|', '1 ERROR ENOENT|'],
  [1, 'TRANSACTION_END@1', 'T|', '1 TRANSACTION_END OK|'],
  [1, 'READ', '/a|', '1 ERROR ENOENT|'],
  [1, 'CONTROL', 'check|', '1 CONTROL OK|'],
);

function limited(quota: string, value: number): Conversation {
  const talk = new Conversation([1]);
  talk.say(1, 'SET_QUOTA', `${quota}|${value}|`);
  talk.say(1, 'MKDIR', '/d|');
  talk.say(1, 'SET_PERMS', '/d|b0|');
  talk.introduce(7);
  return talk;
}

test('[X45] XSA-414 XSA-415 a change that exceeds a quota is undone, and dooms its transaction', (t) => {
  const talk = limited('nodes', 3);
  talk.say(7, 'TRANSACTION_START', '|');
  t.deepEqual(talk.say(7, 'WRITE@1', '/d/a|'), ['7 WRITE OK|']);
  t.deepEqual(talk.say(7, 'WRITE@1', '/d/b/c/d|'), ['quota nodes of 7', '7 ERROR ENOSPC|']);
  t.deepEqual(talk.say(7, 'DIRECTORY@1', '/d|'), ['7 DIRECTORY a|']);
  t.deepEqual(talk.say(7, 'TRANSACTION_END@1', 'T|'), ['7 ERROR ENOMEM|']);
  t.deepEqual(talk.say(1, 'DIRECTORY', '/d|'), ['1 DIRECTORY ']);
  t.deepEqual(talk.say(7, 'WRITE', '/d/b/c/d|'), ['7 WRITE OK|']);
  t.deepEqual(talk.store.check(), []);
});

test('[X45] outside a transaction, too, nothing is left of a change that exceeds a quota', (t) => {
  const talk = limited('nodes', 2);
  t.deepEqual(talk.say(7, 'WRITE', '/d/a/b/c|'), ['quota nodes of 7', '7 ERROR ENOSPC|']);
  t.deepEqual(talk.say(1, 'DIRECTORY', '/d|'), ['1 DIRECTORY ']);
  t.deepEqual(talk.store.check(), []);
});

test('[X45] a quota that others have used up meanwhile is ENOSPC at the end', (t) => {
  const talk = limited('nodes', 2);
  talk.say(7, 'TRANSACTION_START', '|');
  talk.say(7, 'WRITE@1', '/d/a|');
  talk.say(7, 'WRITE@1', '/d/b|');
  talk.say(7, 'WRITE', '/d/c|');
  t.deepEqual(talk.say(7, 'TRANSACTION_END@1', 'T|'), ['quota nodes of 7', '7 ERROR ENOSPC|']);
  t.deepEqual(talk.store.check(), []);
});

/** Connection 8 has read `/d/x` when 7 changes it; says what comes of the commit. */
function spoil(talk: Conversation, transaction: number): readonly string[] {
  talk.say(8, 'TRANSACTION_START', '|');
  talk.say(8, `READ@${transaction}`, '/d/x|');
  const said = talk.say(7, 'WRITE', '/d/x|').concat();
  talk.takeAll();
  said.push(...talk.say(8, `TRANSACTION_END@${transaction}`, 'T|'));
  talk.takeAll();
  return said;
}

function spoiled(t: ExecutionContext): Conversation {
  const talk = new Conversation([1, 7, 8]);
  talk.say(1, 'MKDIR', '/d|');
  talk.say(1, 'SET_PERMS', '/d|b0|');
  const failed = ['7 WRITE OK|', '8 ERROR EAGAIN|'];
  t.deepEqual(spoil(talk, 1), [...failed, 'wake']);
  for (const transaction of [2, 3, 4]) t.deepEqual(spoil(talk, transaction), failed);
  t.deepEqual(spoil(talk, 5), [...failed, 'hold 7']);
  return talk;
}

test('[X46] XSA-206 whoever spoils five transactions of another waits until that one commits', (t) => {
  const talk = spoiled(t);
  talk.say(8, 'TRANSACTION_START', '|');
  talk.say(8, 'READ@6', '/d/x|');
  t.deepEqual(talk.say(8, 'TRANSACTION_END@6', 'T|'), ['8 TRANSACTION_END OK|', 'let go 7']);
});

test('[X46] XSA-206 ... or a second, or until the other is gone', (t) => {
  const waiting = spoiled(t);
  t.deepEqual(waiting.step({ kind: 'second' }), ['let go 7', 'wake']);
  for (let second = 0; second < 3; second += 1)
    t.deepEqual(waiting.step({ kind: 'second' }), ['wake']);
  t.deepEqual(waiting.step({ kind: 'second' }), []);
  t.deepEqual(spoiled(t).step({ kind: 'disconnect', connection: 8 }), ['let go 7']);
});

test('[X46] nobody waits for spoiling its own transactions, and the control domain never', (t) => {
  const talk = new Conversation([1, 7, 8]);
  talk.say(1, 'MKDIR', '/d|');
  talk.say(1, 'SET_PERMS', '/d|b0|');
  for (const [spoiler, from] of [
    [8, 1],
    [1, 11],
  ] as const)
    for (let transaction = from; transaction < from + 10; transaction += 1) {
      talk.say(8, 'TRANSACTION_START', '|');
      talk.say(8, `READ@${transaction}`, '/d/x|');
      talk.say(spoiler, 'WRITE', '/d/x|');
      t.deepEqual(talk.say(8, `TRANSACTION_END@${transaction}`, 'T|'), ['8 ERROR EAGAIN|']);
      talk.takeAll();
    }
});
