import test from 'ava';
import { Conversation } from '../../../test/golden/xenstore/conversation.ts';
import { rows } from '../../../test/golden/xenstore/rows.ts';

rows(
  '[X25] a watch fires once at once, then for its node and what is below, after the reply',
  [1, 'WATCH', '/a|token|', '1 WATCH OK|', '1 WATCH_EVENT /a|token|'],
  [1, 'WRITE', '/a/b/c|x', '1 WRITE OK|', '1 WATCH_EVENT /a/b/c|token|'],
  [1, 'WRITE', '/a|x', '1 WRITE OK|', '1 WATCH_EVENT /a|token|'],
  [1, 'SET_PERMS', '/a|r0|', '1 SET_PERMS OK|', '1 WATCH_EVENT /a|token|'],
  [1, 'MKDIR', '/a/d|', '1 MKDIR OK|', '1 WATCH_EVENT /a/d|token|'],
  [1, 'MKDIR', '/a/d|', '1 MKDIR OK|'],
  [1, 'RM', '/a/none|', '1 RM OK|'],
  [1, 'WRITE', '/ab|x', '1 WRITE OK|'],
  [2, 'RM', '/a/b/c|', '2 RM OK|', '1 WATCH_EVENT /a/b/c|token|'],
  [2, 'WATCH', '/|all|', '2 WATCH OK|', '2 WATCH_EVENT /|all|'],
  [1, 'WRITE', '/x|', '1 WRITE OK|', '2 WATCH_EVENT /x|all|'],
);

rows(
  '[X26] a relative watch hears relative paths',
  [1, 'WATCH', 'backend|t|', '1 WATCH OK|', '1 WATCH_EVENT backend|t|'],
  [1, 'WRITE', 'backend/vif|x', '1 WRITE OK|', '1 WATCH_EVENT backend/vif|t|'],
  [2, 'WRITE', '/local/domain/0/backend|x', '2 WRITE OK|', '1 WATCH_EVENT backend|t|'],
  [2, 'RM', '/local|', '2 RM OK|', '1 WATCH_EVENT backend|t|'],
);

rows(
  '[X27] the removal of an ancestor is told under the watched path, if there was such a node',
  [1, 'WRITE', '/a/b/c|1', '1 WRITE OK|'],
  [1, 'WATCH', '/a/b/c|t|', '1 WATCH OK|', '1 WATCH_EVENT /a/b/c|t|'],
  [1, 'WATCH', '/a/b/none|t|', '1 WATCH OK|', '1 WATCH_EVENT /a/b/none|t|'],
  [1, 'RM', '/a|', '1 RM OK|', '1 WATCH_EVENT /a/b/c|t|'],
  [1, 'RM', '/a|', '1 RM OK|'],
);

rows(
  '[X28] XSA-115 only who may read the node, or its parent, hears of it',
  [7, 'WATCH', '/|t|', '7 WATCH OK|', '7 WATCH_EVENT /|t|'],
  [1, 'WRITE', '/secret/x|1', '1 WRITE OK|'],
  [1, 'RM', '/secret|', '1 RM OK|'],
  [1, 'WRITE', '/dir/x|1', '1 WRITE OK|'],
  [1, 'SET_PERMS', '/dir|r0|', '1 SET_PERMS OK|', '7 WATCH_EVENT /dir|t|'],
  [1, 'WRITE', '/dir/x|2', '1 WRITE OK|', '7 WATCH_EVENT /dir/x|t|'],
  [1, 'SET_PERMS', '/dir/x|r0|', '1 SET_PERMS OK|', '7 WATCH_EVENT /dir/x|t|'],
  [1, 'SET_PERMS', '/dir|n0|', '1 SET_PERMS OK|', '7 WATCH_EVENT /dir|t|'],
  [1, 'RM', '/dir/x|', '1 RM OK|', '7 WATCH_EVENT /dir/x|t|'],
  [1, 'WRITE', '/dir/y|', '1 WRITE OK|'],
);

rows(
  '[X29] a depth bounds how far below its path a watch hears',
  [1, 'WATCH', '/a|zero|0|', '1 WATCH OK|', '1 WATCH_EVENT /a|zero|'],
  [1, 'WATCH', '/a|one|1|', '1 WATCH OK|', '1 WATCH_EVENT /a|one|'],
  [1, 'WRITE', '/a|', '1 WRITE OK|', '1 WATCH_EVENT /a|zero|', '1 WATCH_EVENT /a|one|'],
  [1, 'WRITE', '/a/b|', '1 WRITE OK|', '1 WATCH_EVENT /a/b|one|'],
  [1, 'WRITE', '/a/b/c|', '1 WRITE OK|'],
  [1, 'RM', '/a|', '1 RM OK|', '1 WATCH_EVENT /a|zero|', '1 WATCH_EVENT /a|one|'],
  [1, 'WATCH', '/|root|1|', '1 WATCH OK|', '1 WATCH_EVENT /|root|'],
  [1, 'WRITE', '/c/d|', '1 WRITE OK|'],
  [1, 'WATCH', '/a|bad|-1|', '1 ERROR EINVAL|'],
  [1, 'WATCH', '/a|bad|x|', '1 ERROR EINVAL|'],
  [1, 'SET_FEATURE', '9|3|', '1 SET_FEATURE OK|'],
  [9, 'WATCH', '/a|t|1|', '9 ERROR EINVAL|'],
);

test('[X30] the special events tell of domains that come and go, to those who may read them', (t) => {
  const talk = new Conversation([1, 7, 8]);
  talk.say(1, 'SET_PERMS', '@introduceDomain|n0|r7|');
  for (const connection of [1, 7, 8])
    for (const event of ['@introduceDomain', '@releaseDomain'])
      talk.say(connection, 'WATCH', `${event}|t|`);
  t.deepEqual(talk.say(1, 'SET_PERMS', '@introduceDomain|r0|n8|'), ['1 SET_PERMS OK|']);
  t.deepEqual(talk.introduce(9), [
    '1 WATCH_EVENT @introduceDomain|t|',
    '7 WATCH_EVENT @introduceDomain|t|',
  ]);
  t.deepEqual(talk.gone(9), ['close 9', '1 WATCH_EVENT @releaseDomain|t|']);
});

test('[X31] with a depth, or for one domain, the event has the id of the domain', (t) => {
  const talk = new Conversation([1, 2, 3]);
  talk.say(1, 'WATCH', '@releaseDomain|deep|1|');
  talk.say(2, 'WATCH', '@releaseDomain/9|nine|');
  talk.say(3, 'WATCH', '@releaseDomain/8|eight|');
  talk.say(3, 'WATCH', '@releaseDomain|flat|0|');
  talk.introduce(9);
  t.deepEqual(talk.gone(9), [
    'close 9',
    '1 WATCH_EVENT @releaseDomain/9|deep|',
    '2 WATCH_EVENT @releaseDomain/9|nine|',
  ]);
});

test('[X32] XSA-324 an event that would be too long is not sent', (t) => {
  const talk = new Conversation([1]);
  const token = 't'.repeat(4090);
  t.is(talk.say(1, 'WATCH', `/a|${token}|`).length, 2);
  t.deepEqual(talk.say(1, 'WRITE', '/a/b|'), ['1 WRITE OK|', `1 WATCH_EVENT /a/b|${token}|`]);
  t.deepEqual(talk.say(1, 'WRITE', '/a/bc|'), ['1 WRITE OK|']);
});

test('[X33] an event that a guest has not taken yet is not sent to it again', (t) => {
  const talk = new Conversation([1, 7]);
  talk.say(1, 'WRITE', '/a|');
  talk.say(1, 'SET_PERMS', '/a|r0|');
  talk.say(7, 'WATCH', '/a|t|');
  talk.takeAll();
  t.deepEqual(talk.say(1, 'WRITE', '/a|1'), ['1 WRITE OK|', '7 WATCH_EVENT /a|t|']);
  t.deepEqual(talk.say(1, 'WRITE', '/a|2'), ['1 WRITE OK|']);
  t.deepEqual(talk.say(1, 'WRITE', '/a/b|'), ['1 WRITE OK|', '7 WATCH_EVENT /a/b|t|']);
  talk.takeAll();
  t.deepEqual(talk.say(1, 'WRITE', '/a|3'), ['1 WRITE OK|', '7 WATCH_EVENT /a|t|']);
});

rows(
  '[X34] a watch is its absolute path and its token',
  [1, 'WATCH', 'a|t|', '1 WATCH OK|', '1 WATCH_EVENT a|t|'],
  [1, 'WATCH', '/local/domain/0/a|t|', '1 ERROR EEXIST|'],
  [1, 'WATCH', 'a|u|', '1 WATCH OK|', '1 WATCH_EVENT a|u|'],
  [2, 'UNWATCH', 'a|t|', '2 ERROR ENOENT|'],
  [1, 'UNWATCH', 'a|none|', '1 ERROR ENOENT|'],
  [1, 'UNWATCH', '/local/domain/0/a|t|', '1 UNWATCH OK|'],
  [1, 'WRITE', 'a|', '1 WRITE OK|', '1 WATCH_EVENT a|u|'],
);

rows(
  '[X35] XSA-330 XSA-484 RESET_WATCHES ends watches and transactions, inside a transaction too',
  [7, 'WATCH', '/a|t|', '7 WATCH OK|', '7 WATCH_EVENT /a|t|'],
  [7, 'TRANSACTION_START', '|', '7 TRANSACTION_START 1|'],
  [7, 'TRANSACTION_START', '|', '7 TRANSACTION_START 2|'],
  [7, 'RESET_WATCHES@1', '|', '7 RESET_WATCHES OK|'],
  [7, 'TRANSACTION_END@1', 'T|', '7 ERROR ENOENT|'],
  [7, 'TRANSACTION_END@2', 'T|', '7 ERROR ENOENT|'],
  [7, 'UNWATCH', '/a|t|', '7 ERROR ENOENT|'],
  [1, 'CONTROL', 'check|', '1 CONTROL OK|'],
  [7, 'TRANSACTION_START', '|', '7 TRANSACTION_START 3|'],
);

test('a watch costs what it fires, whatever is watched elsewhere', (t) => {
  const talk = new Conversation([1, 2]);
  for (let each = 0; each < 20_000; each += 1) talk.say(2, 'WATCH', `/other/${each}|t|`);
  t.deepEqual(talk.say(1, 'WRITE', '/a/b|'), ['1 WRITE OK|']);
  t.deepEqual(talk.say(1, 'WRITE', '/other/5|'), ['1 WRITE OK|', '2 WATCH_EVENT /other/5|t|']);
  talk.step({ kind: 'disconnect', connection: 2 });
  t.deepEqual(talk.say(1, 'WRITE', '/other/5|'), ['1 WRITE OK|']);
  t.deepEqual(talk.store.check(), []);
});
