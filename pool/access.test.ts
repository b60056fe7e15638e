import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { hostAccess, hostRights, poolRights, type Right, serviceRights } from './access.ts';
import { prefixes, root } from './keys.ts';
import { serviceNames } from './records/host.ts';

const host = { id: '00000000-0000-4000-8000-000000000001', name: 'host-1' };

/** The rows of the table in docs/access.md, as the rights are. */
function rows(): string[] {
  const row = (identity: string, keys: string, access: string, why: string) =>
    `| ${identity} | ${keys} | ${access} | ${why} |`;
  const keysOf = (right: Right) =>
    'prefix' in right ? `\`${right.prefix}*\`` : `\`${right.key}\``;
  const own = { id: 'ID', name: 'HOST' };
  return [
    row('`operator`', 'everything', 'role `root`', 'the person who runs the pool, and the CLI'),
    ...serviceNames.flatMap((service) => {
      const rights = [...serviceRights[service], ...hostRights(service, own)];
      const identity = `\`HOST/${service}\``;
      if (rights.length === 0) return [row(identity, 'nothing', 'no user', reasons[service] ?? '')];
      return rights.map((right) => row(identity, keysOf(right), right.access, right.why));
    }),
  ];
}

const reasons: Readonly<Record<string, string>> = {
  xenstore: 'keeps the xenstore of its host in its own files',
  consensus: 'is a member: it talks to members on their own port, and reads nothing as a client',
};

test('the table in docs/access.md is the one that pools are made with', (t) => {
  const text = readFileSync(join(import.meta.dirname, '..', 'docs', 'access.md'), 'utf8');
  const lines = text.split('\n');
  const head = lines.indexOf('| Identity | Keys | Rights | Why |');
  const end = lines.findIndex((line, at) => at > head && !line.startsWith('|'));
  t.deepEqual(lines.slice(head + 2, end), rows());
});

test('every prefix that records have is somebody’s to write, and lies below the root', (t) => {
  const written = [...Object.values(serviceRights).flat(), ...hostRights('vm-lifecycle', host)]
    .filter(({ access }) => access !== 'read')
    .map((right) => ('prefix' in right ? right.prefix : right.key));
  for (const key of written) t.true(key.startsWith(root) && key !== root, key);
  for (const [name, prefix] of Object.entries(prefixes))
    t.true(
      written.some((key) => prefix.startsWith(key) || key.startsWith(prefix)),
      name,
    );
});

test('nobody but the operator has the role root, and each host writes only its own record', (t) => {
  const hosts = [host, { id: '00000000-0000-4000-8000-000000000002', name: 'host-2' }];
  const { roles, users } = poolRights(hosts);
  const roots = Object.entries(users).filter(([, own]) => own.includes('root'));
  t.deepEqual(roots, [['operator', ['root']]]);
  for (const own of Object.values(users))
    for (const role of own) t.true(role === 'root' || role in roles, role);
  const writersOf = (key: string) =>
    Object.keys(users).filter((user) =>
      users[user]?.some((role) =>
        roles[role]?.some((right) => 'key' in right && right.key === key),
      ),
    );
  for (const { id, name } of hosts)
    t.deepEqual(writersOf(`${prefixes.hosts}${id}`), [`${name}/vm-lifecycle`]);
  const one = poolRights([host]);
  const added = hostAccess(hosts[1] ?? host);
  t.deepEqual(
    { roles: { ...one.roles, ...added.roles }, users: { ...one.users, ...added.users } },
    { roles, users },
  );
});
