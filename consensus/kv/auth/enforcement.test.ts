import test from 'ava';
import fc from 'fast-check';
import { authChangeOf, users } from '../../../test/model/auth-commands.ts';
import { NaiveAuth } from '../../../test/model/naive-auth.ts';
import { bytes, commandOf, keys } from '../../../test/model/store-commands.ts';
import { emptyBytes } from '../byte-string.ts';
import { decodeCommand, encodeCommand } from '../command-codec.ts';
import { isEmptyRange, type KeyRange } from '../key-range.ts';
import type { Command, Operation, PlainCommand } from '../request.ts';
import { Store } from '../store.ts';
import type { LeaseId, Revision } from '../version.ts';
import type { AuthChange } from './change.ts';
import { isOfClients } from './rights.ts';

const root = bytes('root');
const enabling: readonly AuthChange[] = [
  { kind: 'add-user', user: root },
  { kind: 'grant-role', user: root, role: root },
  ...['ann', 'bob'].map((user): AuthChange => ({ kind: 'add-user', user: bytes(user) })),
  ...['r1', 'r2'].map((role): AuthChange => ({ kind: 'add-role', role: bytes(role) })),
  { kind: 'enable' },
];

const askedOf = fc.record({
  kind: fc.constant('asked' as const),
  user: fc.constantFrom(...users),
  command: fc.oneof(
    { weight: 3, arbitrary: commandOf },
    { weight: 2, arbitrary: authChangeOf.map((change) => ({ kind: 'auth' as const, change })) },
  ),
});
const anyOf: fc.Arbitrary<Command> = fc.oneof({ weight: 5, arbitrary: askedOf }, commandOf);

/** Keys between any two bounds that the commands have. */
const universe = keys.flatMap((key) => [key, `${key}\0`, `${key}x`]).map(bytes);

/** Whether a user may do what it asks for, by looking at every key for itself. */
function mayAsk(naive: NaiveAuth, store: Store, user: string, command: PlainCommand): boolean {
  const every = (access: 'read' | 'write', range: KeyRange) => {
    if (range.kind === 'key') return naive.may(user, access, range.key);
    if (isEmptyRange(range)) return naive.may(user, access, range.from);
    const inside = universe.filter(
      (key) => key >= range.from && (range.to === null || key < range.to),
    );
    const isOpen = range.to !== null || naive.may(user, access, '\xff\xff\xff\xff');
    return isOpen && inside.every((key) => naive.may(user, access, key));
  };
  const keysOf = (id: LeaseId) => [...(store.lease(id)?.keys ?? [])];
  const may = (operation: Operation): boolean => {
    switch (operation.kind) {
      case 'range':
        return every('read', operation.range);
      case 'put': {
        const own = every('write', { kind: 'key', key: operation.key });
        const previous = !operation.withPrevious || naive.may(user, 'read', operation.key);
        const lease = operation.lease === 0n ? [] : keysOf(operation.lease);
        return own && previous && lease.every((key) => naive.may(user, 'write', key));
      }
      case 'delete': {
        const { range, withPrevious } = operation;
        return every('write', range) && (!withPrevious || every('read', range));
      }
      case 'txn':
        return (
          operation.compares.every(({ range }) => every('read', range)) &&
          [...operation.success, ...operation.failure].every(may)
        );
    }
  };
  if (!(user in naive.state.users)) return false;
  if (naive.state.users[user]?.includes('root') === true) return true;
  switch (command.kind) {
    case 'put':
    case 'delete':
    case 'txn':
      return may(command);
    case 'grant':
      return true;
    case 'revoke':
      return keysOf(command.id).every((key) => naive.may(user, 'write', key));
    default:
      return false;
  }
}

const commandsOf = fc
  .tuple(fc.array(authChangeOf, { maxLength: 25 }), fc.array(anyOf, { maxLength: 40 }))
  .map(([changes, commands]): readonly Command[] => [
    ...[...enabling, ...changes].map((change): Command => {
      const command = { kind: 'auth', change } as const;
      return change.kind === 'enable' || enabling.includes(change)
        ? command
        : { kind: 'asked', user: root, command };
    }),
    ...commands,
  ]);

test('a command is done exactly if rights allow it when its turn comes', (t) => {
  let [done, refused] = [0, 0];
  fc.assert(
    fc.property(commandsOf, (commands) => {
      const [store, twin, naive] = [new Store(), new Store(), new NaiveAuth()];
      for (const [index, command] of commands.entries()) {
        const isAsked = command.kind === 'asked';
        const plain = isAsked ? command.command : command;
        const wanted = !naive.state.enabled
          ? null
          : isAsked
            ? mayAsk(naive, store, command.user, plain)
              ? null
              : 'permission-denied'
            : isOfClients(plain)
              ? 'unauthenticated'
              : null;
        const reply = store.apply(index, encodeCommand(command));
        if (wanted !== null) {
          refused += 1;
          t.deepEqual(reply, { ok: false, error: wanted });
          continue;
        }
        done += 1;
        if (plain.kind === 'auth') {
          t.is(reply.ok ? null : reply.error, naive.apply(plain.change));
          continue;
        }
        // What is allowed does what it does in a store without rights.
        t.deepEqual(reply, twin.apply(index, encodeCommand(plain)));
      }
      const restored = new Store();
      t.true(restored.restore(store.snapshot()).ok);
      t.deepEqual(restored.auth.state(), store.auth.state());
      t.is(restored.revision, store.revision);
    }),
    { numRuns: 300 },
  );
  t.true(done > 1000 && refused > 200, `${done} done, ${refused} refused`);
});

test('a command with a name, and a change of rights, come back from their encoding', (t) => {
  const foundation: Command = {
    kind: 'auth',
    change: {
      kind: 'found',
      roles: [
        {
          name: bytes('r'),
          permissions: [
            { access: 'write', range: { kind: 'span', from: bytes('a'), to: null } },
            { access: 'readwrite', range: { kind: 'key', key: bytes('b') } },
          ],
        },
        { name: bytes('none'), permissions: [] },
      ],
      users: [{ name: bytes('operator'), roles: [root] }],
    },
  };
  t.deepEqual(decodeCommand(encodeCommand(foundation)), { ok: true, value: foundation });
  fc.assert(
    fc.property(anyOf, (command) => {
      t.deepEqual(decodeCommand(encodeCommand(command)), { ok: true, value: command });
    }),
  );
});

test('a name within a name is no command', (t) => {
  const put = encodeCommand({ kind: 'compact', revision: 1 as Revision });
  const once = Buffer.concat([Buffer.from([25, 1]), Buffer.from('a'), put]);
  t.true(decodeCommand(once).ok);
  t.false(decodeCommand(Buffer.concat([Buffer.from([25, 1]), Buffer.from('a'), once])).ok);
});

test('members do what no client asked for, whatever rights there are', (t) => {
  const store = new Store();
  for (const [index, change] of enabling.entries())
    store.apply(index, encodeCommand({ kind: 'auth', change }));
  const own: readonly PlainCommand[] = [
    { kind: 'renew', ids: [] },
    { kind: 'expire', leases: [] },
    { kind: 'describe', member: 1, name: emptyBytes, clientUrls: [] },
  ];
  for (const command of own) t.true(store.apply(99, encodeCommand(command)).ok, command.kind);
});
