import test from 'ava';
import { bytes } from '../base/units.ts';
import { poolRights } from '../pool/access.ts';
import { AuthTable } from './kv/auth/auth-table.ts';
import { authBounds } from './kv/auth/bounds.ts';
import { textBytes } from './kv/byte-string.ts';
import { readSettings } from './settings.ts';

const tls = { ca: 'ca.pem', certificate: 'own.pem', key: 'own-key.pem' };
const member = {
  name: 'a',
  dataDir: 'a',
  listenClient: '127.0.0.1:2379',
  listenPeer: '127.0.0.1:2380',
  initialCluster: { a: '127.0.0.1:2380' },
};
const refusal = (rights: unknown, change: object = { tls }) => {
  const read = readSettings({ ...member, ...change, rights }, 'a.json', bytes(2 ** 28));
  return read.ok ? 'taken' : read.error;
};
const operator = { operator: ['root'] };

test('rights that cannot be are refused by their field', (t) => {
  t.is(refusal({ roles: {}, users: operator }), 'taken');
  t.regex(refusal({ roles: {}, users: {} }), /rights: gives nobody the role root/);
  t.regex(
    refusal({ roles: {}, users: { ...operator, ann: ['nope'] } }),
    /rights: gives a user a role that is not among the roles/,
  );
  const role = (right: object) => ({ roles: { r: [right] }, users: operator });
  t.is(refusal(role({ access: 'read', prefix: '/a/' })), 'taken');
  t.is(refusal(role({ access: 'write', key: '/a' })), 'taken');
  const wrong = [{ access: 'read' }, { access: 'read', prefix: '' }, { access: 'all', key: 'k' }];
  for (const right of wrong) t.regex(refusal(role(right)), /a\.json: rights\.roles\.r\.0/);
  const long = 'x'.repeat(authBounds.name + 1);
  t.regex(refusal({ roles: {}, users: { ...operator, [long]: [] } }), /is a name of more than 256/);
});

test('rights need certificates', (t) => {
  const rights = { roles: {}, users: operator };
  t.regex(refusal(rights, { insecure: true }), /rights: need tls/);
});

test('what flotilla up configures founds the rights of the largest pool', (t) => {
  const hosts = Array.from({ length: 64 }, (_, index) => ({
    id: `00000000-0000-4000-8000-0000000000${String(index).padStart(2, '0')}`,
    name: `host-${index + 1}`,
  }));
  const raw = { ...member, tls, rights: JSON.parse(JSON.stringify(poolRights(hosts))) as unknown };
  const read = readSettings(raw, 'a.json', bytes(2 ** 28));
  const rights = read.ok ? read.value.rights : null;
  const table = new AuthTable();
  t.is(rights ? table.apply({ kind: 'found', ...rights }) : 'no rights', null);
  t.true(table.enabled);
  t.is(table.users().length, 1 + 3 * hosts.length);
  t.true(table.rights(textBytes('operator'))?.isRoot);
});
