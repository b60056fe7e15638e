import test from 'ava';
import fc from 'fast-check';
import { authChangeOf, roles, users } from '../../../test/model/auth-commands.ts';
import { NaiveAuth } from '../../../test/model/naive-auth.ts';
import { bytes, keys } from '../../../test/model/store-commands.ts';
import { AuthTable } from './auth-table.ts';
import { authBounds } from './bounds.ts';
import type { AuthChange } from './change.ts';

const [root, ann] = [bytes('root'), bytes('ann')];

function tableAfter(...changes: readonly AuthChange[]): AuthTable {
  const table = new AuthTable();
  for (const change of changes) table.apply(change);
  return table;
}

const enabled: readonly AuthChange[] = [
  { kind: 'add-user', user: root },
  { kind: 'grant-role', user: root, role: root },
  { kind: 'enable' },
];

test('any changes come to what the shortest description of rights comes to', (t) => {
  fc.assert(
    fc.property(fc.array(authChangeOf, { maxLength: 60 }), (changes) => {
      const [table, naive] = [new AuthTable(), new NaiveAuth()];
      for (const change of changes) {
        const before = table.revision;
        const was = table.state();
        const refusal = table.apply(change);
        t.is(refusal, naive.apply(change), change.kind);
        const { revision: _, ...now } = table.state();
        const { revision: __, ...then } = was;
        if (refusal !== null) t.deepEqual(now, then);
        if (JSON.stringify(now) !== JSON.stringify(then)) t.is(table.revision, before + 1);
        t.is(table.enabled, naive.state.enabled);
      }
      for (const user of users) {
        t.deepEqual(table.rolesOf(user), naive.state.users[user]?.toSorted().map(bytes));
        for (const key of keys) {
          const rights = table.rights(user);
          const range = { kind: 'key', key } as const;
          const reads = rights !== null && (rights.isRoot || rights.reads.covers(range));
          const writes = rights !== null && (rights.isRoot || rights.writes.covers(range));
          t.is(reads, naive.may(user, 'read', key));
          t.is(writes, naive.may(user, 'write', key));
        }
      }
      for (const role of roles) {
        const own = naive.state.roles[role];
        t.is(table.permissionsOf(role)?.length, own?.length);
      }
    }),
    { numRuns: 500 },
  );
});

test('what a snapshot holds makes the same table', (t) => {
  fc.assert(
    fc.property(fc.array(authChangeOf, { maxLength: 40 }), (changes) => {
      const table = tableAfter(...changes);
      const restored = new AuthTable();
      restored.restore(table.state());
      t.deepEqual(restored.state(), table.state());
    }),
  );
});

test('nobody can be left who could change rights', (t) => {
  const table = tableAfter(...enabled, { kind: 'add-user', user: ann });
  const last: readonly AuthChange[] = [
    { kind: 'delete-user', user: root },
    { kind: 'revoke-role', user: root, role: root },
    { kind: 'delete-role', role: root },
  ];
  for (const change of last) t.is(table.apply(change), 'invalid-auth-management');
  t.is(table.apply({ kind: 'grant-role', user: ann, role: root }), null);
  t.is(table.apply({ kind: 'delete-user', user: ann }), null);
  t.is(table.apply({ kind: 'disable' }), null);
  t.is(table.apply({ kind: 'delete-user', user: root }), null);
  t.is(table.apply({ kind: 'enable' }), 'no-root-user');
});

test('a pool is founded once, with all of its rights and enforced from then on', (t) => {
  const foundation: AuthChange = {
    kind: 'found',
    roles: [
      {
        name: bytes('r'),
        permissions: [{ access: 'read', range: { kind: 'key', key: bytes('a') } }],
      },
    ],
    users: [
      { name: bytes('operator'), roles: [root] },
      { name: ann, roles: [bytes('r')] },
    ],
  };
  const table = tableAfter(foundation);
  t.true(table.enabled);
  t.deepEqual(table.users(), [ann, bytes('operator')]);
  t.true(table.rights(ann)?.reads.covers({ kind: 'key', key: bytes('a') }));
  const { revision } = table;
  t.is(table.apply({ kind: 'delete-user', user: ann }), null);
  t.is(table.apply(foundation), null);
  t.is(table.rights(ann), null, 'what was changed since stays changed');
  t.is(table.revision, revision + 1);
  const changed = tableAfter({ kind: 'add-user', user: ann });
  t.is(changed.apply(foundation), null);
  t.false(changed.enabled);
  t.is(tableAfter().apply({ ...foundation, users: [] }), 'no-root-role');
});

test('names are bounded, and so is how many there are', (t) => {
  const table = new AuthTable();
  t.is(table.apply({ kind: 'add-user', user: bytes('') }), 'user-name-empty');
  t.is(table.apply({ kind: 'add-role', role: bytes('') }), 'role-name-empty');
  const long = bytes('x'.repeat(authBounds.name + 1));
  t.is(table.apply({ kind: 'add-user', user: long }), 'auth-too-large');
  t.is(table.apply({ kind: 'add-role', role: long }), 'auth-too-large');
  for (let count = 0; count < authBounds.roles; count += 1)
    table.apply({ kind: 'add-role', role: bytes(`${count}`) });
  t.is(table.apply({ kind: 'add-role', role: bytes('more') }), 'auth-too-large');
  const grant = (key: string): AuthChange => ({
    kind: 'grant-permission',
    role: bytes('0'),
    permission: { access: 'read', range: { kind: 'key', key: bytes(key) } },
  });
  for (let count = 0; count < authBounds.permissionsPerRole; count += 1)
    t.is(table.apply(grant(`${count}`)), null);
  t.is(table.apply(grant('more')), 'auth-too-large');
  t.is(table.apply(grant('7')), null, 'one that is there is replaced');
});
