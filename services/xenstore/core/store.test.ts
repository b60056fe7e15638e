import test from 'ava';
import { bytesOf, nulTerminated, textOf } from './payload.ts';
import type { DomainId } from './permissions.ts';
import { Store } from './store.ts';
import { type MessageName, messageName, messageTypes } from './wire.ts';

/** Connection 1 is of domain 0; 7 and 8 are of the guests 7 and 8. */
function newStore(): Store {
  const store = new Store();
  for (const connection of [1, 7, 8])
    store.step({
      kind: 'connect',
      connection,
      domain: (connection === 1 ? 0 : connection) as DomainId,
    });
  return store;
}

/** Sends a request whose parts are given as the protocol has them, `|` standing for NUL. */
function say(
  store: Store,
  connection: number,
  name: MessageName,
  text: string,
  transactionId = 0,
): readonly string[] {
  const payload = bytesOf(text.replaceAll('|', '\0'));
  const packet = { type: messageTypes[name], requestId: 5, transactionId, payload };
  return store
    .step({ kind: 'request', connection, packet })
    .filter((output) => output.kind === 'send')
    .map((output) => {
      const kind = messageName(output.packet.type);
      const content = textOf(output.packet.payload).replaceAll('\0', '|');
      return `${output.connection} ${kind} ${content}`;
    });
}

type Row = readonly [connection: number, request: MessageName, text: string, ...replies: string[]];

function table(title: string, ...rows: readonly Row[]): void {
  test(title, (t) => {
    const store = newStore();
    for (const [connection, name, text, ...replies] of rows)
      t.deepEqual(say(store, connection, name, text), replies, `${connection} ${name} ${text}`);
  });
}

table(
  'a node is written with its parents, read, listed in the order of making, and removed',
  [1, 'WRITE', '/a/b/z|1', '1 WRITE OK|'],
  [1, 'WRITE', '/a/b/c|', '1 WRITE OK|'],
  [1, 'READ', '/a/b/z|', '1 READ 1'],
  [1, 'READ', '/a/b|', '1 READ '],
  [1, 'DIRECTORY', '/a/b|', '1 DIRECTORY z|c|'],
  [1, 'DIRECTORY', '/|', '1 DIRECTORY a|'],
  [1, 'RM', '/a/b|', '1 RM OK|'],
  [1, 'READ', '/a/b/z|', '1 ERROR ENOENT|'],
  [1, 'DIRECTORY', '/a|', '1 DIRECTORY '],
);

table(
  'removing a missing node succeeds where its parent exists, and is ENOENT otherwise',
  [1, 'MKDIR', '/a|', '1 MKDIR OK|'],
  [1, 'RM', '/a/b|', '1 RM OK|'],
  [1, 'RM', '/x/y|', '1 ERROR ENOENT|'],
  [1, 'RM', '/|', '1 ERROR EINVAL|'],
);

table(
  'a path is refused that is empty, ends with a slash, or has other characters',
  [1, 'READ', '|', '1 ERROR EINVAL|'],
  [1, 'READ', '/a/|', '1 ERROR EINVAL|'],
  [1, 'READ', '/a//b|', '1 ERROR EINVAL|'],
  [1, 'READ', '/a b|', '1 ERROR EINVAL|'],
  [1, 'READ', '/a', '1 ERROR EINVAL|'],
  [1, 'WRITE', `/${'a'.repeat(3072)}|x`, '1 ERROR EINVAL|'],
);

table(
  'a relative path belongs to the directory of the domain',
  [1, 'WRITE', 'device/vif|0', '1 WRITE OK|'],
  [1, 'READ', '/local/domain/0/device/vif|', '1 READ 0'],
);

table(
  'a guest reads and writes what permissions allow, and owns what it makes',
  [1, 'WRITE', '/local/domain/7/data|', '1 WRITE OK|'],
  [7, 'READ', 'data|', '7 ERROR EACCES|'],
  [1, 'SET_PERMS', '/local/domain/7/data|n7|r8|', '1 SET_PERMS OK|'],
  [7, 'WRITE', 'data/mine|x', '7 WRITE OK|'],
  [1, 'GET_PERMS', '/local/domain/7/data/mine|', '1 GET_PERMS n7|r8|'],
  [8, 'READ', '/local/domain/7/data/mine|', '8 READ x'],
  [8, 'WRITE', '/local/domain/7/data/mine|y', '8 ERROR EACCES|'],
  [7, 'SET_PERMS', 'data|n8|', '7 ERROR EACCES|'],
);

table(
  'a watch fires at once, then for the node and what is below it, in the form it was given',
  [1, 'WATCH', 'backend|token|', '1 WATCH OK|', '1 WATCH_EVENT backend|token|'],
  [1, 'WRITE', 'backend/vif/1|x', '1 WRITE OK|', '1 WATCH_EVENT backend/vif/1|token|'],
  [1, 'WRITE', '/elsewhere|x', '1 WRITE OK|'],
  [1, 'WATCH', 'backend|token|', '1 ERROR EEXIST|'],
  [1, 'UNWATCH', 'backend|other|', '1 ERROR ENOENT|'],
  [1, 'UNWATCH', 'backend|token|', '1 UNWATCH OK|'],
  [1, 'WRITE', 'backend/vif/1|y', '1 WRITE OK|'],
);

table(
  'the removal of an ancestor is told under the watched path',
  [1, 'WRITE', '/a/b/c|1', '1 WRITE OK|'],
  [1, 'WATCH', '/a/b/c|t|', '1 WATCH OK|', '1 WATCH_EVENT /a/b/c|t|'],
  [1, 'WATCH', '/a/b/none|t|', '1 WATCH OK|', '1 WATCH_EVENT /a/b/none|t|'],
  [1, 'RM', '/a|', '1 RM OK|', '1 WATCH_EVENT /a/b/c|t|'],
);

table(
  'a guest hears nothing of nodes that it may not read (XSA-115)',
  [7, 'WATCH', '/secret|t|', '7 WATCH OK|', '7 WATCH_EVENT /secret|t|'],
  [1, 'WRITE', '/secret|x', '1 WRITE OK|'],
);

table('a token that would not fit into an event is refused (XSA-324)', [
  1,
  'WATCH',
  `/a|${'t'.repeat(1021)}|`,
  '1 ERROR E2BIG|',
]);

table(
  'what only the control domain may ask is refused to guests',
  [7, 'IS_DOMAIN_INTRODUCED', '0|', '7 ERROR EACCES|'],
  [7, 'CONTROL', 'check|', '7 ERROR EACCES|'],
  [1, 'GET_DOMAIN_PATH', '7|', '1 GET_DOMAIN_PATH /local/domain/7|'],
  [1, 'GET_DOMAIN_PATH', '70000|', '1 ERROR EINVAL|'],
);

test('a list that does not fit is E2BIG, and comes whole in parts', (t) => {
  const store = newStore();
  const names = Array.from({ length: 900 }, (_, index) => `child-${index}`);
  for (const name of names) say(store, 1, 'WRITE', `/many/${name}|`);
  t.deepEqual(say(store, 1, 'DIRECTORY', '/many|'), ['1 ERROR E2BIG|']);
  let list = '';
  for (let parts = 0; !list.endsWith('||') && parts < 10; parts += 1) {
    const [reply = ''] = say(store, 1, 'DIRECTORY_PART', `/many|${list.length}|`);
    list += reply.slice(reply.indexOf('|') + 1);
  }
  t.deepEqual(list.split('|').slice(0, -2), names);
});

test('a transaction is seen by others at its end, and watches fire then', (t) => {
  const store = newStore();
  say(store, 1, 'WATCH', '/a|t|');
  const id = Number(say(store, 1, 'TRANSACTION_START', '|')[0]?.split(' ')[2]?.replace('|', ''));
  t.deepEqual(say(store, 1, 'WRITE', '/a|1', id), ['1 WRITE OK|']);
  t.deepEqual(say(store, 1, 'READ', '/a|', id), ['1 READ 1']);
  t.deepEqual(say(store, 1, 'READ', '/a|'), ['1 ERROR ENOENT|']);
  t.deepEqual(say(store, 1, 'TRANSACTION_START', '|', id), ['1 ERROR EBUSY|']);
  t.deepEqual(say(store, 1, 'TRANSACTION_END', 'T|', id), [
    '1 TRANSACTION_END OK|',
    '1 WATCH_EVENT /a|t|',
  ]);
  t.deepEqual(say(store, 1, 'READ', '/a|'), ['1 READ 1']);
  t.deepEqual(say(store, 1, 'READ', '/a|', id), ['1 ERROR ENOENT|']);
});

function begin(store: Store): number {
  return Number(/(\d+)\|/.exec(say(store, 1, 'TRANSACTION_START', '|')[0] ?? '')?.[1]);
}

test('only nodes that a transaction has read conflict', (t) => {
  const store = newStore();
  say(store, 1, 'WRITE', '/read|1');
  const disturbed = begin(store);
  const undisturbed = begin(store);
  say(store, 1, 'READ', '/read|', disturbed);
  say(store, 1, 'WRITE', '/x|1', disturbed);
  say(store, 1, 'WRITE', '/dir/one|1', undisturbed);
  say(store, 1, 'WRITE', '/read|2');
  say(store, 1, 'WRITE', '/dir/two|2');
  t.deepEqual(say(store, 1, 'TRANSACTION_END', 'T|', disturbed), ['1 ERROR EAGAIN|']);
  t.deepEqual(say(store, 1, 'READ', '/x|'), ['1 ERROR ENOENT|']);
  t.deepEqual(say(store, 1, 'TRANSACTION_END', 'T|', undisturbed), ['1 TRANSACTION_END OK|']);
  t.deepEqual(say(store, 1, 'DIRECTORY', '/dir|'), ['1 DIRECTORY two|one|']);
});

test('a node that was missing when it was read, and is there at the end, is a conflict', (t) => {
  const store = newStore();
  const id = begin(store);
  say(store, 1, 'READ', '/new|', id);
  say(store, 1, 'WRITE', '/x|1', id);
  say(store, 1, 'WRITE', '/new|1');
  t.deepEqual(say(store, 1, 'TRANSACTION_END', 'T|', id), ['1 ERROR EAGAIN|']);
});

test('RESET_WATCHES ends the transactions of the caller too (XSA-330, XSA-484)', (t) => {
  const store = newStore();
  say(store, 1, 'WATCH', '/a|t|');
  const id = begin(store);
  t.deepEqual(say(store, 1, 'RESET_WATCHES', '|', id), ['1 RESET_WATCHES OK|']);
  t.deepEqual(say(store, 1, 'WRITE', '/a|1'), ['1 WRITE OK|']);
  t.deepEqual(say(store, 1, 'TRANSACTION_END', 'T|', id), ['1 ERROR ENOENT|']);
});

test('an unknown message is ENOSYS, and one that only the daemon sends EINVAL', (t) => {
  const store = newStore();
  const packet = { type: 99, requestId: 1, transactionId: 0, payload: nulTerminated('/') };
  const [output] = store.step({ kind: 'request', connection: 1, packet });
  t.is(output?.kind === 'send' && textOf(output.packet.payload), 'ENOSYS\0');
  t.deepEqual(say(store, 1, 'WATCH_EVENT', '/|t|'), ['1 ERROR EINVAL|']);
});
