import test from 'ava';
import { Conversation } from '../../../test/golden/xenstore/conversation.ts';
import { rows } from '../../../test/golden/xenstore/rows.ts';

test('[X47] INTRODUCE has the adapter map the ring, and is answered when that is done', (t) => {
  const talk = new Conversation([1, 2], { hypervisor: true });
  talk.say(2, 'WATCH', '@introduceDomain|t|');
  t.deepEqual(talk.say(1, 'INTRODUCE', '7|-1|3|'), ['ask #1 map 7 gfn -1 port 3 features 15']);
  t.deepEqual(talk.say(1, 'IS_DOMAIN_INTRODUCED', '7|'), ['1 IS_DOMAIN_INTRODUCED F|']);
  t.deepEqual(talk.step({ kind: 'answer', ticket: 1, answer: { kind: 'mapped', connection: 7 } }), [
    '1 INTRODUCE OK|',
    '2 WATCH_EVENT @introduceDomain|t|',
  ]);
  t.deepEqual(talk.say(1, 'IS_DOMAIN_INTRODUCED', '7|'), ['1 IS_DOMAIN_INTRODUCED T|']);
  t.deepEqual(talk.say(7, 'GET_DOMAIN_PATH', '7|'), ['7 GET_DOMAIN_PATH /local/domain/7|']);
});

test('[X47] what cannot be mapped is not introduced; who has left gets no reply', (t) => {
  const talk = new Conversation([1, 2], { hypervisor: true });
  talk.say(1, 'INTRODUCE', '7|1|3|');
  t.deepEqual(talk.step({ kind: 'answer', ticket: 1, answer: { kind: 'refused', error: 'EIO' } }), [
    '1 ERROR EIO|',
  ]);
  t.deepEqual(talk.say(1, 'RELEASE', '7|'), ['1 ERROR ENOENT|']);
  talk.say(2, 'INTRODUCE', '7|1|3|');
  talk.step({ kind: 'disconnect', connection: 2 });
  t.deepEqual(
    talk.step({ kind: 'answer', ticket: 2, answer: { kind: 'mapped', connection: 7 } }),
    [],
  );
  t.deepEqual(talk.say(1, 'IS_DOMAIN_INTRODUCED', '7|'), ['1 IS_DOMAIN_INTRODUCED T|']);
});

rows(
  '[X47] domids, frames and ports have to be numbers of real domains and channels',
  [1, 'INTRODUCE', '0|1|3|', '1 ERROR EINVAL|'],
  [1, 'INTRODUCE', '32752|1|3|', '1 ERROR EINVAL|'],
  [1, 'INTRODUCE', '7|x|3|', '1 ERROR EINVAL|'],
  [1, 'INTRODUCE', '7|1|0|', '1 ERROR EINVAL|'],
  [1, 'INTRODUCE', '7|1|', '1 ERROR EINVAL|'],
  [1, 'RELEASE', '0|', '1 ERROR EINVAL|'],
  [1, 'RELEASE', '7|', '1 ERROR ENOENT|'],
  [1, 'RESUME', '70000|', '1 ERROR EINVAL|'],
  [1, 'RESUME', '7|', '1 ERROR ENOENT|'],
  [1, 'GET_DOMAIN_PATH', '65535|', '1 GET_DOMAIN_PATH /local/domain/65535|'],
  [1, 'GET_DOMAIN_PATH', '65536|', '1 ERROR EINVAL|'],
  [1, 'GET_DOMAIN_PATH', '007|', '1 GET_DOMAIN_PATH /local/domain/7|'],
  [1, 'IS_DOMAIN_INTRODUCED', '0|', '1 IS_DOMAIN_INTRODUCED T|'],
  [1, 'IS_DOMAIN_INTRODUCED', '32752|', '1 IS_DOMAIN_INTRODUCED T|'],
  [1, 'IS_DOMAIN_INTRODUCED', '7|', '1 IS_DOMAIN_INTRODUCED F|'],
);

test('[X48] a domain that is introduced again has a new channel, and begins anew', (t) => {
  const talk = new Conversation([1], { hypervisor: true });
  talk.introduce(7);
  talk.say(7, 'TRANSACTION_START', '|');
  talk.say(7, 'WATCH', '@releaseDomain|t|');
  t.deepEqual(talk.say(1, 'INTRODUCE', '7|1|4|'), ['rebind 7 to 4', '1 INTRODUCE OK|']);
  t.deepEqual(talk.say(7, 'TRANSACTION_END@1', 'T|'), ['7 ERROR ENOENT|']);
  t.deepEqual(talk.say(7, 'UNWATCH', '@releaseDomain|t|'), ['7 ERROR ENOENT|']);
  t.deepEqual(talk.store.check(), []);
});

test('[X49] RELEASE ends the service of a domain, as its death does', (t) => {
  const talk = new Conversation([1]);
  talk.introduce(7);
  talk.say(1, 'WRITE', '/local/domain/7|');
  talk.say(1, 'SET_PERMS', '/local/domain/7|n7|');
  talk.say(1, 'WATCH', '@releaseDomain|t|');
  talk.say(7, 'WATCH', '/local/domain/7|t|');
  t.deepEqual(talk.say(1, 'RELEASE', '7|'), [
    'close 7',
    '1 RELEASE OK|',
    '1 WATCH_EVENT @releaseDomain|t|',
  ]);
  t.deepEqual(talk.say(1, 'DIRECTORY', '/local/domain|'), ['1 DIRECTORY ']);
  t.deepEqual(talk.say(1, 'RELEASE', '7|'), ['1 ERROR ENOENT|']);
  t.deepEqual(talk.store.check(), []);
});

test('XSA-425 RELEASE of a domain that hears of its own removal harms nobody', (t) => {
  const talk = new Conversation([1]);
  for (const domain of [7, 8]) talk.introduce(domain);
  talk.say(1, 'SET_PERMS', '@releaseDomain|r0|');
  for (const domain of [7, 8]) {
    talk.say(1, 'WRITE', `/local/domain/${domain}|`);
    talk.say(1, 'SET_PERMS', `/local/domain/${domain}|r${domain}|`);
    talk.say(domain, 'WATCH', '/local|t|');
    talk.say(domain, 'WATCH', '@releaseDomain|t|');
    talk.say(domain, 'TRANSACTION_START', '|');
  }
  t.deepEqual(talk.say(1, 'RELEASE', '7|'), [
    'close 7',
    '1 RELEASE OK|',
    '8 WATCH_EVENT /local/domain/7|t|',
    '8 WATCH_EVENT @releaseDomain|t|',
  ]);
  t.deepEqual(talk.store.check(), []);
});

test('[X30] the end of the owner of a special event is told to whoever might read it until then', (t) => {
  const talk = new Conversation([1]);
  for (const domain of [7, 8]) talk.introduce(domain);
  talk.say(8, 'WATCH', '@releaseDomain|t|');
  talk.say(1, 'SET_PERMS', '@releaseDomain|r7|');
  t.deepEqual(talk.say(1, 'RELEASE', '7|'), [
    'close 7',
    '1 RELEASE OK|',
    '8 WATCH_EVENT @releaseDomain|t|',
  ]);
  t.deepEqual(talk.say(1, 'GET_PERMS', '@releaseDomain|'), ['1 GET_PERMS n0|']);
  talk.introduce(9);
  t.deepEqual(talk.gone(9), ['close 9']);
});

test('[X50] of a domain that is gone nothing is left: watches, transactions, what it was owed', (t) => {
  const talk = new Conversation([1]);
  talk.introduce(7);
  talk.say(7, 'WATCH', '@releaseDomain|t|');
  talk.say(7, 'TRANSACTION_START', '|');
  t.deepEqual(talk.gone(7), ['close 7']);
  t.deepEqual(talk.gone(7), []);
  t.deepEqual(talk.gone(0), []);
  t.deepEqual(talk.say(1, 'IS_DOMAIN_INTRODUCED', '7|'), ['1 IS_DOMAIN_INTRODUCED F|']);
  t.deepEqual(talk.say(1, 'CONTROL', 'quota|7|'), ['1 ERROR ENOENT|']);
  t.deepEqual(talk.store.check(), []);
});

test('[X51] a shutdown is told once, and again after RESUME', (t) => {
  const talk = new Conversation([1]);
  talk.introduce(7);
  talk.say(1, 'WATCH', '@releaseDomain|t|');
  const shutdown = () => talk.step({ kind: 'domain-shutdown', domain: talk.domain(7) });
  const told = ['1 WATCH_EVENT @releaseDomain|t|'];
  t.deepEqual(shutdown(), told);
  t.deepEqual(shutdown(), []);
  t.deepEqual(talk.say(1, 'RESUME', '7|'), ['1 RESUME OK|']);
  t.deepEqual(shutdown(), told);
  t.deepEqual(talk.gone(7), ['close 7', ...told]);
});

test('[X52] XSA-325 a ring that is reset, or broken, is no news for others', (t) => {
  const talk = new Conversation([1], { hypervisor: true });
  talk.introduce(7);
  talk.say(1, 'WATCH', '@releaseDomain|t|');
  talk.say(7, 'WATCH', '@releaseDomain|t|');
  talk.say(7, 'TRANSACTION_START', '|');
  t.deepEqual(talk.step({ kind: 'reset', connection: 7 }), []);
  t.deepEqual(talk.say(1, 'IS_DOMAIN_INTRODUCED', '7|'), ['1 IS_DOMAIN_INTRODUCED T|']);
  t.deepEqual(talk.say(7, 'TRANSACTION_END@1', 'F|'), ['7 ERROR ENOENT|']);
  t.deepEqual(talk.store.check(), []);
});

test('[X53] features are those of the domain, and are chosen before it is introduced', (t) => {
  const talk = new Conversation([1], { hypervisor: true });
  t.deepEqual(talk.say(1, 'GET_FEATURE', ''), ['1 GET_FEATURE 15|']);
  t.deepEqual(talk.say(1, 'SET_FEATURE', '7|2|'), ['1 ERROR ENOENT|']);
  talk.step({ kind: 'domain-exists', domain: talk.domain(7) });
  t.deepEqual(talk.say(1, 'SET_FEATURE', '7|16|'), ['1 ERROR EINVAL|']);
  t.deepEqual(talk.say(1, 'SET_FEATURE', '7|2|'), ['1 SET_FEATURE OK|']);
  t.deepEqual(talk.say(1, 'GET_FEATURE', '7|'), ['1 GET_FEATURE 2|']);
  t.deepEqual(talk.say(1, 'INTRODUCE', '7|1|3|'), ['ask #1 map 7 gfn 1 port 3 features 2']);
  talk.step({ kind: 'answer', ticket: 1, answer: { kind: 'mapped', connection: 7 } });
  t.deepEqual(talk.say(1, 'SET_FEATURE', '7|6|'), ['1 ERROR EBUSY|']);
  t.deepEqual(talk.say(7, 'GET_FEATURE', ''), ['7 GET_FEATURE 2|']);
});
