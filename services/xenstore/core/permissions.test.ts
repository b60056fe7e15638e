import test from 'ava';
import { Conversation } from '../../../test/golden/xenstore/conversation.ts';
import { rows } from '../../../test/golden/xenstore/rows.ts';

rows(
  '[X15] the owner may do all; others what their first entry says, or else the first of all',
  [1, 'WRITE', '/a|x', '1 WRITE OK|'],
  [1, 'SET_PERMS', '/a|n7|r8|b8|w9|', '1 SET_PERMS OK|'],
  [7, 'WRITE', '/a|y', '7 WRITE OK|'],
  [8, 'READ', '/a|', '8 READ y'],
  [8, 'WRITE', '/a|z', '8 ERROR EACCES|'],
  [9, 'READ', '/a|', '9 ERROR EACCES|'],
  [9, 'WRITE', '/a|z', '9 WRITE OK|'],
  [1, 'SET_PERMS', '/a|r7|n8|', '1 SET_PERMS OK|'],
  [9, 'READ', '/a|', '9 READ z'],
  [8, 'READ', '/a|', '8 ERROR EACCES|'],
);

rows(
  '[X16] what a guest makes has the permissions of its parent, and the guest for its owner',
  [1, 'WRITE', '/d|', '1 WRITE OK|'],
  [1, 'SET_PERMS', '/d|b0|r8|', '1 SET_PERMS OK|'],
  [7, 'WRITE', '/d/x/y|1', '7 WRITE OK|'],
  [1, 'GET_PERMS', '/d/x/y|', '1 GET_PERMS b7|r8|'],
  [1, 'GET_PERMS', '/d/x|', '1 GET_PERMS b7|r8|'],
  [1, 'WRITE', '/d/x/z|1', '1 WRITE OK|'],
  [1, 'GET_PERMS', '/d/x/z|', '1 GET_PERMS b7|r8|'],
  [7, 'WRITE', '/e|1', '7 ERROR EACCES|'],
);

rows(
  '[X17] XSA-352 only who owns a node sets its permissions, and only the control domain gives it away',
  [1, 'WRITE', '/a|x', '1 WRITE OK|'],
  [1, 'SET_PERMS', '/a|b7|b8|', '1 SET_PERMS OK|'],
  [7, 'SET_PERMS', '/a|n7|', '7 SET_PERMS OK|'],
  [7, 'SET_PERMS', '/a|n8|n7|', '7 ERROR EPERM|'],
  [8, 'SET_PERMS', '/a|n8|', '8 ERROR EACCES|'],
  [1, 'SET_PERMS', '/a|n8|', '1 SET_PERMS OK|'],
  [7, 'READ', '/a|', '7 ERROR EACCES|'],
  [8, 'GET_PERMS', '/a|', '8 GET_PERMS n8|'],
  [1, 'SET_PERMS', '/none|n8|', '1 ERROR ENOENT|'],
  [8, 'SET_PERMS', '/none|n8|', '8 ERROR EACCES|'],
);

rows(
  '[X18] entries are a letter and a domain',
  [1, 'SET_PERMS', '/tool|x0|', '1 ERROR EINVAL|'],
  [1, 'SET_PERMS', '/tool|r|', '1 ERROR EINVAL|'],
  [1, 'SET_PERMS', '/tool|r-1|', '1 ERROR EINVAL|'],
  [1, 'SET_PERMS', '/tool|r32752|', '1 ERROR EINVAL|'],
  [1, 'SET_PERMS', '/tool|n0|r1|r2|r3|r4|r5|r6|', '1 SET_PERMS OK|'],
  [1, 'SET_PERMS', '/tool|n7|', '1 SET_PERMS OK|'],
  [7, 'SET_PERMS', '/tool|n7|r1|r2|r3|r4|', '7 SET_PERMS OK|'],
  [7, 'SET_PERMS', '/tool|n7|r1|r2|r3|r4|r5|', 'quota permissions of 7', '7 ERROR ENOSPC|'],
);

rows(
  '[X19] that a node is missing is told only to those who may use its nearest parent',
  [1, 'WRITE', '/shown|', '1 WRITE OK|'],
  [1, 'SET_PERMS', '/shown|r0|', '1 SET_PERMS OK|'],
  [1, 'WRITE', '/shown/hidden/x|', '1 WRITE OK|'],
  [1, 'SET_PERMS', '/shown/hidden|n0|', '1 SET_PERMS OK|'],
  [7, 'READ', '/shown/none/at/all|', '7 ERROR ENOENT|'],
  [7, 'READ', '/shown/hidden/none|', '7 ERROR EACCES|'],
  [7, 'WRITE', '/shown/none|', '7 ERROR EACCES|'],
  [7, 'RM', '/shown/none/at/all|', '7 ERROR EACCES|'],
);

rows(
  '[X20] an entry for any domain is for every domain',
  [1, 'WRITE', '/a|x', '1 WRITE OK|'],
  [1, 'SET_PERMS', '/a|n0|n8|r32757|', '1 SET_PERMS OK|'],
  [7, 'READ', '/a|', '7 READ x'],
  [8, 'READ', '/a|', '8 ERROR EACCES|'],
  [9, 'WRITE', '/a|y', '9 ERROR EACCES|'],
);

test('[X21] XSA-417 a permission of a domain that does not exist yet grants it nothing later', (t) => {
  const talk = new Conversation([1], { hypervisor: true });
  talk.say(1, 'WRITE', '/a|secret');
  t.deepEqual(talk.say(1, 'SET_PERMS', '/a|n0|r7|'), ['1 SET_PERMS OK|']);
  t.deepEqual(talk.say(1, 'SET_PERMS', '/a|n7|'), ['1 ERROR ENOENT|']);
  talk.introduce(7);
  t.deepEqual(talk.say(7, 'READ', '/a|'), ['7 ERROR EACCES|']);
  t.deepEqual(talk.say(1, 'GET_PERMS', '/a|'), ['1 GET_PERMS n0|r7|']);
  t.deepEqual(talk.say(1, 'SET_PERMS', '/a|n0|r7|'), ['1 SET_PERMS OK|']);
  t.deepEqual(talk.say(7, 'READ', '/a|'), ['7 READ secret']);
});

test('[X21] a domain that the hypervisor has may be named before its ring is served', (t) => {
  const talk = new Conversation([1], { hypervisor: true });
  talk.say(1, 'WRITE', '/a|x');
  talk.step({ kind: 'domain-exists', domain: talk.domain(7) });
  talk.say(1, 'SET_PERMS', '/a|n0|r7|');
  talk.introduce(7);
  t.deepEqual(talk.say(7, 'READ', '/a|'), ['7 READ x']);
});

test('[X22] XSA-419 the nodes of a domain that is gone go, with all below them', (t) => {
  const talk = new Conversation([1, 8]);
  talk.introduce(7);
  talk.say(1, 'WRITE', '/shared|');
  talk.say(1, 'SET_PERMS', '/shared|b0|');
  talk.say(7, 'WRITE', '/shared/mine/deep|x');
  talk.say(8, 'WRITE', '/shared/mine/other|x');
  talk.say(8, 'WRITE', '/shared/own|x');
  talk.say(1, 'WATCH', '/shared/mine/deep|t|');
  t.deepEqual(talk.gone(7), ['close 7', '1 WATCH_EVENT /shared/mine/deep|t|']);
  t.deepEqual(talk.say(1, 'DIRECTORY', '/shared|'), ['1 DIRECTORY own|']);
  t.deepEqual(talk.store.check(), []);
});

test('[X23] XSA-322 a domain that gets the id of a dead one inherits no permission', (t) => {
  const talk = new Conversation([1]);
  talk.introduce(7);
  talk.say(1, 'WRITE', '/a/b|x');
  talk.say(1, 'SET_PERMS', '/a/b|n0|b7|r8|');
  talk.say(1, 'SET_PERMS', '/|n7|');
  talk.say(1, 'SET_PERMS', '@releaseDomain|n0|r7|');
  talk.say(1, 'WATCH', '/a|t|');
  t.deepEqual(talk.gone(7), ['close 7']);
  talk.introduce(7);
  t.deepEqual(talk.say(1, 'GET_PERMS', '/a/b|'), ['1 GET_PERMS n0|r8|']);
  t.deepEqual(talk.say(1, 'GET_PERMS', '/|'), ['1 GET_PERMS n0|']);
  t.deepEqual(talk.say(1, 'GET_PERMS', '@releaseDomain|'), ['1 GET_PERMS n0|']);
  t.deepEqual(talk.say(7, 'READ', '/a/b|'), ['7 ERROR EACCES|']);
});

test('[X23] XSA-322 nor does it by a transaction that named the dead one', (t) => {
  const talk = new Conversation([1]);
  talk.introduce(7);
  talk.say(1, 'WRITE', '/a|x');
  talk.say(1, 'TRANSACTION_START', '|');
  talk.say(1, 'SET_PERMS@1', '/a|n0|r7|');
  talk.gone(7);
  talk.introduce(7);
  t.deepEqual(talk.say(1, 'TRANSACTION_END@1', 'T|'), ['1 ERROR EAGAIN|']);
  t.deepEqual(talk.say(7, 'READ', '/a|'), ['7 ERROR EACCES|']);
});

test('[X24] a stub domain may do what its target may, and owns what it makes', (t) => {
  const talk = new Conversation([1]);
  for (const domain of [7, 8]) talk.introduce(domain);
  talk.say(1, 'WRITE', '/a|x');
  talk.say(1, 'SET_PERMS', '/a|n7|');
  t.deepEqual(talk.say(8, 'READ', '/a|'), ['8 ERROR EACCES|']);
  t.deepEqual(talk.say(1, 'SET_TARGET', '8|7|'), ['1 SET_TARGET OK|']);
  t.deepEqual(talk.say(8, 'WRITE', '/a/b|y'), ['8 WRITE OK|']);
  t.deepEqual(talk.say(8, 'GET_PERMS', '/a/b|'), ['8 GET_PERMS n8|']);
  t.deepEqual(talk.say(8, 'SET_PERMS', '/a|r7|'), ['8 SET_PERMS OK|']);
  t.deepEqual(talk.say(1, 'SET_TARGET', '8|9|'), ['1 ERROR ENOENT|']);
  t.deepEqual(talk.say(1, 'SET_TARGET', '8|'), ['1 ERROR EINVAL|']);
});

for (const first of [7, 8])
  test(`[X24] XSA-233 a domain and its stub domain die together, ${first} first`, (t) => {
    const talk = new Conversation([1]);
    for (const domain of [7, 8]) talk.introduce(domain);
    talk.say(1, 'SET_TARGET', '8|7|');
    talk.say(1, 'WATCH', '@releaseDomain|t|');
    for (const domain of [first, 15 - first])
      t.deepEqual(talk.gone(domain), [`close ${domain}`, '1 WATCH_EVENT @releaseDomain|t|']);
    for (const domain of [7, 8]) talk.introduce(domain);
    talk.say(1, 'WRITE', '/a|x');
    talk.say(1, 'SET_PERMS', '/a|n7|');
    t.deepEqual(talk.say(8, 'READ', '/a|'), ['8 ERROR EACCES|']);
  });

test('[X24] a stub domain does not act for whoever gets the id of its dead target', (t) => {
  const talk = new Conversation([1]);
  for (const domain of [7, 8]) talk.introduce(domain);
  talk.say(1, 'SET_TARGET', '8|7|');
  talk.gone(7);
  talk.introduce(7);
  talk.say(1, 'WRITE', '/a|x');
  talk.say(1, 'SET_PERMS', '/a|n7|');
  t.deepEqual(talk.say(8, 'READ', '/a|'), ['8 ERROR EACCES|']);
});
