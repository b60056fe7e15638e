import test from 'ava';
import { present } from '../base/assert.ts';
import { ok, type Result } from '../base/result.ts';
import { type Member, startMember, until } from '../test/model/journal-members.ts';
import { blankDisk } from './adapters/memory/log-store.ts';
import { MemoryNetwork } from './adapters/memory/peers.ts';
import { type Configuration, configurationOf } from './core/configuration.ts';
import { memberId } from './core/ids.ts';
import type { MembershipChange } from './core/membership.ts';
import { defaultLimits } from './driver/limits.ts';
import type { MembershipError } from './replica.ts';

const command = (text: string): Uint8Array => Buffer.from(text);

/** Members 1 to `count` of one pool, in one process, when all of them know their leader. */
async function pool(count: number) {
  const ids = Array.from({ length: count }, (_, i) => memberId(i + 1));
  const network = new MemoryNetwork();
  const members = ids.map((id) => startMember(id, blankDisk(configurationOf(ids)), network));
  for (const member of members) await until(member, (status) => status.leader !== null);
  const leader = leaderOf(members);
  const follower = members.find((member) => member !== leader) ?? leader;
  return { members, leader, follower, network };
}

function leaderOf(members: readonly Member[]): Member {
  const leader = members.find(({ node }) => node.status().role === 'leader');
  if (leader === undefined) throw new Error('nobody leads');
  return leader;
}

async function stop(members: readonly Member[]): Promise<void> {
  for (const { node } of members) await node.stop();
}

const codeOf = (result: Result<unknown, MembershipError>): string =>
  result.ok ? 'ok' : result.error.code;

function add(member: number, staysLearner = false): MembershipChange {
  return { kind: 'add', member: memberId(member), peers: [`host${member}:1`], staysLearner };
}

/** What is not ready yet, or waits for its turn, is asked again. */
async function change(at: Member, wanted: MembershipChange) {
  for (;;) {
    const result = await at.node.changeMembership(wanted);
    // A leader that was just elected has not heard from the others yet.
    const mayPass = [
      ...['not-ready', 'change-under-way', 'not-caught-up', 'no-leader', 'majority-needed'],
    ];
    if (!mayPass.includes(codeOf(result))) return result;
    await new Promise((wait) => setTimeout(wait, 20));
  }
}

test('a member is added at a follower, catches up, and becomes a voter by itself', async (t) => {
  const { members, leader, follower, network } = await pool(3);
  t.true((await leader.node.propose(command('before'))).ok);
  const added = await change(follower, add(4));
  t.like(added.ok ? added.value : null, { learners: [4], joining: [4] });
  const start = blankDisk(configurationOf([1, 2, 3].map(memberId)));
  const fourth = startMember(memberId(4), start, network);
  await until(fourth, ({ configuration }) => configuration.voters.includes(memberId(4)));
  t.deepEqual(await fourth.node.readBarrier(), ok(undefined));
  t.deepEqual(fourth.journal.lines, ['before']);
  t.true((await fourth.node.propose(command('after'))).ok);
  const known = leader.node.followers().find((each) => each.member === 4);
  t.like(known, { heard: true, caughtUp: true });
  t.deepEqual(fourth.node.followers(), []);
  await stop([...members, fourth]);
});

test('a member that is removed learns of it, and the rest goes on', async (t) => {
  const { members, leader, follower } = await pool(3);
  const self = follower.node.status().member;
  t.is(codeOf(await change(follower, { kind: 'remove', member: self })), 'ok');
  await until(follower, ({ removed }) => removed);
  t.true((await leader.node.propose(command('after'))).ok);
  t.deepEqual(leader.node.status().configuration.voters.length, 2);
  await stop(members);
});

test('a leader removes itself while commands come, and another leads', async (t) => {
  const { members, leader, follower } = await pool(3);
  const self = leader.node.status().member;
  const writes = Array.from({ length: 20 }, (_, i) => follower.node.propose(command(`${i}`)));
  t.is(codeOf(await change(leader, { kind: 'remove', member: self })), 'ok');
  t.true((await Promise.all(writes)).every((write) => write.ok));
  await until(leader, ({ removed, role }) => removed && role === 'follower');
  await until(follower, (status) => status.leader !== null && status.leader !== self);
  t.true((await follower.node.propose(command('after'))).ok);
  t.is(new Set(follower.journal.lines).size, 21);
  await stop(members);
});

test('the state machine is told who takes part: by the log, again at a restart, and by a snapshot', async (t) => {
  const ids = [1, 2].map(memberId);
  const disks = ids.map(() => blankDisk(configurationOf(ids)));
  const network = new MemoryNetwork();
  const limits = { ...defaultLimits, snapshotEntries: 5, trailingEntries: 1 };
  const start = (id: number) =>
    startMember(memberId(id), present(disks[id - 1], 'a disk'), network, limits);
  const members = [start(1), start(2)];
  for (const member of members) await until(member, (status) => status.leader !== null);
  const leader = leaderOf(members);
  t.is(codeOf(await change(leader, add(3, true))), 'ok');
  t.is(codeOf(await change(leader, { kind: 'remove', member: memberId(3) })), 'ok');
  const told = [
    [1, 2],
    [1, 2, 3],
    [1, 2],
  ].map((each) => each.map(memberId));
  t.deepEqual(leader.journal.configurations, told);
  await stop(members);

  const again = [start(1), start(2)];
  for (const member of again) await until(member, (status) => status.leader !== null);
  const next = leaderOf(again);
  t.deepEqual(await next.node.readBarrier(), ok(undefined));
  t.deepEqual(next.journal.configurations, told);
  t.is(codeOf(await change(next, add(4, true))), 'ok');
  for (let i = 0; i < 20; i += 1) t.true((await next.node.propose(command(`${i}`))).ok);
  const fourth = startMember(memberId(4), blankDisk(configurationOf(ids)), network, limits);
  await until(fourth, (status) => status.leader !== null);
  t.deepEqual(await fourth.node.readBarrier(), ok(undefined));
  t.deepEqual(fourth.journal.configurations.at(-1), [1, 2, 4].map(memberId));
  await stop([...again, fourth]);
});

test('what cannot be is refused by name at any member', async (t) => {
  const { members, follower } = await pool(2);
  const refused = async (wanted: MembershipChange): Promise<string> =>
    codeOf(await change(follower, wanted));
  t.is(await refused(add(1)), 'member-exists');
  t.is(await refused({ kind: 'remove', member: memberId(9) }), 'member-not-found');
  t.is(await refused({ kind: 'promote', member: memberId(1) }), 'not-a-learner');
  t.deepEqual(
    follower.node.status().configuration,
    configurationOf([1, 2].map(memberId)) satisfies Configuration,
  );
  await stop(members);
});

test('the leadership goes where it is sent, and only the leader sends it', async (t) => {
  const { members, leader, follower } = await pool(3);
  const [from, to] = [leader.node.status().member, follower.node.status().member];
  t.is(codeOf(await leader.node.transferLeadership(from)), 'ok', 'it leads already');
  t.is(codeOf(await follower.node.transferLeadership(to)), 'no-leader');
  t.is(codeOf(await leader.node.transferLeadership(memberId(9))), 'member-not-found');
  for (let code = 'not-caught-up'; code !== 'ok'; ) {
    code = codeOf(await leader.node.transferLeadership(to));
    t.true(['ok', 'not-caught-up'].includes(code), code);
    await new Promise((wait) => setTimeout(wait, 20));
  }
  t.is(leader.node.status().leader, to);
  await until(follower, ({ role }) => role === 'leader');
  t.true((await leader.node.propose(command('after'))).ok);
  await stop(members);
});
