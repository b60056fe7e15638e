import test from 'ava';
import { Conversation } from '../../../test/golden/xenstore/conversation.ts';
import { rows } from '../../../test/golden/xenstore/rows.ts';

rows(
  '[X1] a reply has the type and the numbers of its request, an error has its name',
  [1, 'WRITE', '/a|1', '1 WRITE OK|'],
  [1, 'READ', '/a|', '1 READ 1'],
  [1, 'READ', '/b|', '1 ERROR ENOENT|'],
);

test('[X1] the numbers of a request come back, in errors too', (t) => {
  const { store } = new Conversation([1]);
  for (const [type, transactionId] of [
    [2, 0],
    [2, 77],
    [99, 0],
  ]) {
    const packet = {
      type: type ?? 0,
      requestId: 0xfffffffe,
      transactionId: transactionId ?? 0,
      payload: Buffer.from('/\0'),
    };
    const [output] = store.step({ kind: 'request', connection: 1, packet });
    t.true(output?.kind === 'send');
    if (output?.kind !== 'send') return;
    t.is(output.packet.requestId, 0xfffffffe);
    t.is(output.packet.transactionId, packet.transactionId);
  }
});

rows(
  '[X2] what is no request is ENOSYS',
  [1, '20', '|', '1 ERROR ENOSYS|'],
  [1, '99', '/|', '1 ERROR ENOSYS|'],
  [1, '65535', '/|', '1 ERROR ENOSYS|'],
  [1, 'WATCH_EVENT', '/|t|', '1 ERROR ENOSYS|'],
  [1, 'ERROR', 'EIO|', '1 ERROR ENOSYS|'],
);

rows(
  '[X3] what the control domain alone may ask is EACCES to others, whatever is in it',
  [7, 'CONTROL', 'check|', '7 ERROR EACCES|'],
  [7, 'INTRODUCE', '', '7 ERROR EACCES|'],
  [7, 'RELEASE', '8|', '7 ERROR EACCES|'],
  [7, 'IS_DOMAIN_INTRODUCED', '0|', '7 ERROR EACCES|'],
  [7, 'RESUME', '7|', '7 ERROR EACCES|'],
  [7, 'SET_TARGET@9', '7|8|', '7 ERROR EACCES|'],
  [7, 'SET_FEATURE', '7|0|', '7 ERROR EACCES|'],
  [7, 'GET_FEATURE', '8|', '7 ERROR EACCES|'],
  [7, 'GET_QUOTA', '', '7 ERROR EACCES|'],
  [7, 'SET_QUOTA', '7|nodes|0|', '7 ERROR EACCES|'],
);

rows(
  '[X4] an unknown transaction is ENOENT, but for those that are in none',
  [1, 'READ@5', '/|', '1 ERROR ENOENT|'],
  [1, 'RESET_WATCHES@5', '|', '1 ERROR ENOENT|'],
  [1, 'TRANSACTION_END@5', 'T|', '1 ERROR ENOENT|'],
  [1, 'TRANSACTION_END', 'T|', '1 ERROR ENOENT|'],
  [1, 'WATCH@5', '/a|t|', '1 WATCH OK|', '1 WATCH_EVENT /a|t|'],
  [1, 'UNWATCH@5', '/a|t|', '1 UNWATCH OK|'],
);

rows(
  '[X5] strings end with a NUL; what is reserved after the last one is ignored',
  [1, 'READ', '/', '1 ERROR EINVAL|'],
  [1, 'READ', '', '1 ERROR EINVAL|'],
  [1, 'READ', '/|/|', '1 ERROR EINVAL|'],
  [1, 'READ', '/|x', '1 ERROR EINVAL|'],
  [1, 'WRITE', '/a', '1 ERROR EINVAL|'],
  [1, 'WATCH', '/a|', '1 ERROR EINVAL|'],
  [1, 'WATCH', '/a|t|1|2|', '1 ERROR EINVAL|'],
  [1, 'WATCH', '/a|t|reserved', '1 WATCH OK|', '1 WATCH_EVENT /a|t|'],
  [1, 'UNWATCH', '/a|t|reserved', '1 UNWATCH OK|'],
  [1, 'SET_PERMS', '/tool|n0|reserved', '1 SET_PERMS OK|'],
  [1, 'SET_PERMS', '/tool|', '1 ERROR EINVAL|'],
  [1, 'DIRECTORY_PART', '/|', '1 ERROR EINVAL|'],
  [1, 'DIRECTORY_PART', '/|x|', '1 ERROR EINVAL|'],
  [1, 'TRANSACTION_START', 'anything', '1 TRANSACTION_START 1|'],
  [1, 'TRANSACTION_END@1', 'X|', '1 ERROR EINVAL|'],
  [1, 'TRANSACTION_END@1', 'F|', '1 TRANSACTION_END OK|'],
);

rows(
  '[X6] a path is refused that is empty, ends with a slash, or has other characters',
  [1, 'READ', '|', '1 ERROR EINVAL|'],
  [1, 'READ', '/a/|', '1 ERROR EINVAL|'],
  [1, 'READ', '/a//b|', '1 ERROR EINVAL|'],
  [1, 'READ', '//|', '1 ERROR EINVAL|'],
  [1, 'READ', '/a b|', '1 ERROR EINVAL|'],
  [1, 'READ', '/a:b|', '1 ERROR EINVAL|'],
  [1, 'READ', '/\u00e9|', '1 ERROR EINVAL|'],
  [1, 'WRITE', '/-_@aZ9|x', '1 WRITE OK|'],
);

rows(
  '[X7] a relative path belongs to the directory of the domain',
  [1, 'WRITE', 'device/vif|0', '1 WRITE OK|'],
  [1, 'READ', '/local/domain/0/device/vif|', '1 READ 0'],
  [1, 'WRITE', '/local/domain/7/x|7', '1 WRITE OK|'],
  [1, 'SET_PERMS', '/local/domain/7/x|n7|', '1 SET_PERMS OK|'],
  [7, 'READ', 'x|', '7 READ 7'],
);

rows(
  '[X8] XSA-323 the length of the resolved path counts, and guests have less',
  [1, 'WRITE', `/${'a'.repeat(3071)}|x`, '1 WRITE OK|'],
  [1, 'WRITE', `/${'a'.repeat(3072)}|x`, '1 ERROR EINVAL|'],
  [1, 'READ', `${'a'.repeat(2048)}|`, '1 ERROR ENOENT|'],
  [1, 'READ', `${'a'.repeat(2049)}|`, '1 ERROR EINVAL|'],
  [7, 'READ', `/local/domain/7/${'a'.repeat(2048)}|`, '7 ERROR EACCES|'],
  [7, 'READ', `/${'a'.repeat(2048)}|`, 'quota path-max of 7', '7 ERROR EINVAL|'],
);

rows(
  '[X8] XSA-481 the directory of no domain is a path like others',
  [1, 'READ', '/local/domain/|', '1 ERROR EINVAL|'],
  [7, 'READ', '/local/domain/|', '7 ERROR EINVAL|'],
  [7, 'WATCH', '/local/domain/|t|', '7 ERROR EINVAL|'],
  [7, 'READ', '/local/domain|', '7 ERROR EACCES|'],
);

rows(
  '[X9] special events have permissions and watches, and are no nodes',
  [1, 'GET_PERMS', '@releaseDomain|', '1 GET_PERMS n0|'],
  [1, 'SET_PERMS', '@releaseDomain|n0|r7|', '1 SET_PERMS OK|'],
  [1, 'GET_PERMS', '@releaseDomain|', '1 GET_PERMS n0|r7|'],
  [1, 'GET_PERMS', '@other|', '1 ERROR ENOENT|'],
  [1, 'READ', '@releaseDomain|', '1 ERROR EINVAL|'],
  [1, 'WRITE', '@releaseDomain|x', '1 ERROR EINVAL|'],
  [1, 'RM', '@releaseDomain|', '1 ERROR EINVAL|'],
  [1, 'DIRECTORY', '/|', '1 DIRECTORY tool|'],
  [1, 'READ', '/@releaseDomain|', '1 ERROR ENOENT|'],
);

rows(
  '[X10] a node is written with its parents, read and listed in the order of making',
  [1, 'WRITE', '/a/b/z|1', '1 WRITE OK|'],
  [1, 'WRITE', '/a/b/c|', '1 WRITE OK|'],
  [1, 'WRITE', '/a/b/z|a|b', '1 WRITE OK|'],
  [1, 'READ', '/a/b/z|', '1 READ a|b'],
  [1, 'READ', '/a/b|', '1 READ '],
  [1, 'DIRECTORY', '/a/b|', '1 DIRECTORY z|c|'],
  [1, 'DIRECTORY', '/a/b/c|', '1 DIRECTORY '],
);

rows(
  '[X11] MKDIR leaves what is there as it is',
  [1, 'WRITE', '/a/b|1', '1 WRITE OK|'],
  [1, 'MKDIR', '/a/b|', '1 MKDIR OK|'],
  [1, 'READ', '/a/b|', '1 READ 1'],
  [1, 'MKDIR', '/a/c/d|', '1 MKDIR OK|'],
  [1, 'DIRECTORY', '/a/c|', '1 DIRECTORY d|'],
);

rows(
  '[X12] RM takes all that is below; a missing node is no error, a missing parent is',
  [1, 'WRITE', '/a/b/c|1', '1 WRITE OK|'],
  [1, 'RM', '/a/b|', '1 RM OK|'],
  [1, 'READ', '/a/b/c|', '1 ERROR ENOENT|'],
  [1, 'DIRECTORY', '/a|', '1 DIRECTORY '],
  [1, 'RM', '/a/b|', '1 RM OK|'],
  [1, 'RM', '/x/y|', '1 ERROR ENOENT|'],
  [1, 'RM', '/|', '1 ERROR EINVAL|'],
);

test('[X13] XSA-72 a list that does not fit is E2BIG, and comes whole in parts', (t) => {
  const talk = new Conversation([1]);
  const names = Array.from({ length: 900 }, (_, index) => `child-${index}`);
  for (const name of names) talk.say(1, 'WRITE', `/many/${name}|`);
  t.deepEqual(talk.say(1, 'DIRECTORY', '/many|'), ['1 ERROR E2BIG|']);
  let list = '';
  const generations = new Set<string>();
  for (let parts = 0; !list.endsWith('||') && parts < 10; parts += 1) {
    const [reply = ''] = talk.say(1, 'DIRECTORY_PART', `/many|${list.length}|`);
    const end = reply.indexOf('|');
    generations.add(reply.slice(0, end));
    t.true(reply.length - '1 DIRECTORY_PART '.length <= 4096);
    list += reply.slice(end + 1);
  }
  t.deepEqual(list.split('|').slice(0, -2), names);
  t.is(generations.size, 1, 'nothing changed between the parts');
  const empty = talk.say(1, 'DIRECTORY_PART', '/many/child-0|0|');
  t.regex(empty[0] ?? '', /^1 DIRECTORY_PART \d+\|\|$/);
});

rows(
  '[X14] a new xenstore has /tool/xenstored, and nobody but the control domain sees it',
  [1, 'DIRECTORY', '/|', '1 DIRECTORY tool|'],
  [1, 'DIRECTORY', '/tool|', '1 DIRECTORY xenstored|'],
  [1, 'GET_PERMS', '/tool/xenstored|', '1 GET_PERMS n0|'],
  [7, 'DIRECTORY', '/|', '7 ERROR EACCES|'],
);

rows(
  'XSA-353 the permissions of the root are checked, and can be set, as those of any node',
  [7, 'WRITE', '/x|1', '7 ERROR EACCES|'],
  [7, 'SET_PERMS', '/|b7|', '7 ERROR EACCES|'],
  [7, 'RM', '/|', '7 ERROR EACCES|'],
  [7, 'GET_PERMS', '/|', '7 ERROR EACCES|'],
  [1, 'SET_PERMS', '/|n0|r7|', '1 SET_PERMS OK|'],
  [7, 'GET_PERMS', '/|', '7 GET_PERMS n0|r7|'],
  [7, 'WRITE', '/x|1', '7 ERROR EACCES|'],
);

test('XSA-418 a path of as many levels as fit is made, listed, watched and removed', (t) => {
  const talk = new Conversation([1, 7]);
  const deep = '/a'.repeat(1500);
  t.deepEqual(talk.say(1, 'WRITE', `${deep}|x`), ['1 WRITE OK|']);
  t.deepEqual(talk.say(1, 'READ', `${deep}|`), ['1 READ x']);
  talk.say(1, 'WATCH', `${deep}|t|`);
  t.deepEqual(talk.say(1, 'RM', '/a|'), ['1 RM OK|', `1 WATCH_EVENT ${deep}|t|`]);
  t.deepEqual(talk.store.check(), []);
});

test('XSA-416 a value keeps nothing of the packet that it came in', (t) => {
  const talk = new Conversation([1]);
  const packet = Buffer.from('/a\0value');
  talk.store.step({
    kind: 'request',
    connection: 1,
    packet: { type: 11, requestId: 0, transactionId: 0, payload: packet },
  });
  packet.fill(0x58);
  t.deepEqual(talk.say(1, 'READ', '/a|'), ['1 READ value']);
});
