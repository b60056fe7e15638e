import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { isGolden } from '../testing/golden.ts';
import { goldenSession } from '../testing/golden-session.ts';
import { transcript } from '../testing/run.ts';

const three = { hosts: 3 };

test('members are listed, added, promoted, moved and removed, by name or id', (t) =>
  goldenSession(
    t,
    'pool-members',
    [
      'pool members',
      'pool member add host-4 --peer 10.0.0.4:2380 --dry-run',
      'pool member add host-4 --peer 10.0.0.4:2380 --client 10.0.0.4:2379',
      'pool members',
      'pool members --json',
      'pool member promote e5 --dry-run',
      'pool member promote 0xE5',
      'pool member update host-2 --peer 10.0.0.9:2380',
      'pool member remove host-3 --dry-run',
      'pool member remove host-3',
      'pool member remove host-3 --yes',
      'pool member remove e5 --yes --json',
      'pool members',
    ],
    () => {},
    three,
  ));

test('another member leads, the one that is named or any', (t) =>
  goldenSession(
    t,
    'pool-leader',
    [
      'pool move-leader --dry-run',
      'pool move-leader',
      'pool move-leader host-3 --json',
      'pool move-leader host-3',
      'pool move-leader host3',
    ],
    ({ database }) => {
      const [, second] = database.members;
      if (second !== undefined) second.applied -= 10;
    },
    three,
  ));

test('alarms, compaction and defragmentation', (t) =>
  goldenSession(
    t,
    'pool-upkeep',
    [
      'pool status',
      'pool alarms',
      'pool alarms disarm --dry-run',
      'pool alarms disarm',
      'pool alarms',
      'pool compact --dry-run',
      'pool compact',
      'pool compact --revision 2345',
      'pool compact --keep 20000',
      'pool compact --keep 5 --revision 3',
      'pool defragment',
      'pool defragment host-2 --json',
    ],
    ({ database }) => {
      database.alarms.push({ memberID: 0xb2n, alarm: 'NOSPACE' });
      for (const member of database.members) member.size = 20 * 2 ** 20;
      const [, , third] = database.members;
      if (third !== undefined) third.applied -= 800;
      for (const member of database.members.slice(0, 2)) member.applied = 9000;
    },
    three,
  ));

test('a database that is not well: who is down, and what that forbids', (t) =>
  goldenSession(
    t,
    'pool-trouble',
    [
      'pool members',
      'pool member remove host-1 --dry-run',
      'pool member remove host-3 --dry-run',
      'pool member promote host-2',
      'pool move-leader host-3',
      'pool member add host-3 --peer 10.0.0.4:2380',
      'pool member add other --peer 10.0.0.2:2380',
      'pool member add four!?! --peer 10.0.0.4:2380',
      'pool member add host-4 --peer nowhere',
      'pool member remove host-9',
      'pool member remove hots-2 --json',
      'pool snapshot save /no/such/folder/file',
      'pool snapshot save file --from host-3',
    ],
    ({ database }) => database.kill(2),
    three,
  ));

test("what the database refuses is told in the operator's terms, with what to do", (t) => {
  const refusals = [
    [status.FAILED_PRECONDITION, 'Peer URLs already exists'],
    [status.FAILED_PRECONDITION, 'too many learner members in cluster'],
    [status.PERMISSION_DENIED, 'permission denied'],
    [status.UNAVAILABLE, 'request timed out'],
    [status.FAILED_PRECONDITION, 'not capable: member host-2 runs an older version'],
    [status.INTERNAL, 'something that no table has'],
  ] as const;
  return goldenSession(
    t,
    'pool-refused',
    refusals.map(() => 'pool member add host-4 --peer 10.0.0.4:2380'),
    ({ database }) => {
      // A member that cannot is asked no further than each of the three.
      for (const [code, message] of refusals)
        for (let asked = 0; asked < (message.startsWith('not capable') ? 3 : 1); asked += 1)
          database.refusals.push({ code, message: `etcdserver: ${message}` });
    },
    three,
  );
});

test('without a leader the members that answer are shown as far as they are known', (t) =>
  goldenSession(
    t,
    'pool-no-leader',
    ['pool members', 'pool move-leader --timeout 1s'],
    ({ database }) => {
      database.leader = 0n;
    },
    three,
  ));

test('members that are named tell the status of their database, whatever the pool', (t) =>
  goldenSession(
    t,
    'pool-status-of-members',
    [
      'pool status --endpoints MEMBERS',
      'pool status --endpoints MEMBERS --json',
      'pool status --endpoints nowhere',
    ],
    ({ database }) => database.kill(2),
    three,
  ));

test('the database is saved to a file that is whole or not there', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-save-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  await goldenSession(
    t,
    'pool-snapshot',
    [
      'pool snapshot save pool.db',
      'pool snapshot save pool.db',
      'pool snapshot save pool.db --force --from host-1',
    ],
    () => {},
    { hosts: 3, directory },
  );
  await goldenSession(
    t,
    'pool-snapshot-broken',
    ['pool snapshot save broken.db'],
    ({ database }) => {
      database.snapshot = { pieces: ['half'], broken: true };
    },
    { hosts: 3, directory },
  );
  t.deepEqual(readdirSync(directory), ['pool.db']);
  const shown = ['pool.db', 'pool.db --json', 'other.db'].map((file) =>
    transcript(`pool snapshot show ${file}`.split(' '), { directory }),
  );
  const text = (await Promise.all(shown)).join('\n\n');
  isGolden(t, 'pool-snapshot-show', text.replaceAll(directory, '/saved'));
  t.true(readFileSync(join(directory, 'pool.db'), 'utf8').startsWith('{"pool":"5ea"'));
});

test('the help of every command of the pool is what it was', (t) =>
  goldenSession(t, 'pool-help', [
    'pool --help',
    'pool status --help',
    'pool members --help',
    'pool member --help',
    'pool member add --help',
    'pool member remove --help',
    'pool member promote --help',
    'pool member update --help',
    'pool rights --help',
    'pool rights list --help',
    'pool rights admit --help',
    'pool move-leader --help',
    'pool alarms --help',
    'pool compact --help',
    'pool defragment --help',
    'pool snapshot --help',
    'pool snapshot save --help',
    'pool snapshot show --help',
  ]));
