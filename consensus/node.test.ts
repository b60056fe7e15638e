import test from 'ava';
import { fail, ok, type Result } from '../base/result.ts';
import { milliseconds } from '../base/units.ts';
import { Journal, startMember, startWith, until } from '../test/model/journal-members.ts';
import { startAlone } from './adapters/memory/alone.ts';
import { blankDisk, MemoryLogStore } from './adapters/memory/log-store.ts';
import { MemoryNetwork } from './adapters/memory/peers.ts';
import { configurationOf } from './core/configuration.ts';
import { memberId } from './core/ids.ts';
import type { Input } from './core/input.ts';
import type { Persist } from './core/output.ts';
import { defaultLimits } from './driver/limits.ts';
import type { StoreError } from './ports.ts';

const command = (text: string): Uint8Array => Buffer.from(text);

test('a member alone commits, survives a restart, and answers reads', async (t) => {
  const disk = blankDisk(configurationOf([memberId(1)]));
  const network = new MemoryNetwork();
  const first = startMember(memberId(1), disk, network);
  await until(first, (status) => status.leader === 1);
  t.deepEqual(await first.node.propose(command('one')), ok(1));
  t.deepEqual(await first.node.propose(command('two')), ok(2));
  t.deepEqual(await first.node.readBarrier(), ok(undefined));
  await first.node.stop();
  const refused = await first.node.propose(command('late'));
  t.is(refused.ok ? null : refused.error.code, 'stopped');

  const second = startMember(memberId(1), disk, network);
  await until(second, (status) => status.leader === 1);
  t.deepEqual(await second.node.readBarrier(), ok(undefined));
  t.deepEqual(second.journal.lines, ['one', 'two']);
  await second.node.stop();
});

test('any of three members takes proposals, and a new leader takes over from a dead one', async (t) => {
  const ids = [1, 2, 3].map(memberId);
  const network = new MemoryNetwork();
  const disks = ids.map(() => blankDisk(configurationOf(ids)));
  const members = ids.map((id, i) =>
    startMember(id, disks[i] ?? blankDisk(configurationOf(ids)), network),
  );
  await Promise.all(members.map((member) => until(member, (status) => status.leader !== null)));
  const results = await Promise.all(
    members.map((member, i) => member.node.propose(command(`from ${i + 1}`))),
  );
  t.true(results.every((result) => result.ok));

  const leader = members[0]?.node.status().leader ?? 0;
  network.detach(memberId(leader));
  await members[leader - 1]?.node.stop();
  const rest = members.filter((_, i) => i !== leader - 1);
  await Promise.all(
    rest.map((member) => until(member, (s) => s.leader !== null && s.leader !== leader)),
  );
  for (const member of rest) {
    t.true((await member.node.propose(command('after'))).ok);
    t.deepEqual(await member.node.readBarrier(), ok(undefined));
  }
  t.deepEqual([...(rest[0]?.journal.lines ?? [])].sort(), [
    'after',
    'after',
    'from 1',
    'from 2',
    'from 3',
  ]);
  for (const member of rest) await member.node.stop();
});

test('[R62] without a leader a proposal and a read fail when their time is up', async (t) => {
  const voters = [1, 2, 3].map(memberId);
  const limits = { ...defaultLimits, requestTimeout: milliseconds(40) };
  const disk = blankDisk(configurationOf(voters));
  const member = startMember(memberId(1), disk, new MemoryNetwork(), limits);
  const proposed = await member.node.propose(command('x'));
  const read = await member.node.readBarrier();
  t.is(proposed.ok ? null : proposed.error.code, 'no-leader');
  t.is(read.ok ? null : read.error.code, 'no-leader');
  await member.node.stop();
});

test('[R62] a proposal and a read wait for the election of a leader', async (t) => {
  const voters = [1, 2, 3].map(memberId);
  const network = new MemoryNetwork();
  const members = voters.map((id) => startMember(id, blankDisk(configurationOf(voters)), network));
  t.true(members.every((member) => member.node.status().leader === null));
  const asked = members.flatMap(({ node }) => [node.propose(command('early')), node.readBarrier()]);
  for (const result of await Promise.all(asked)) t.true(result.ok);
  for (const member of members) await member.node.stop();
});

test('a member that was away gets a snapshot once the log is compacted', async (t) => {
  const ids = [1, 2, 3].map(memberId);
  const limits = { ...defaultLimits, snapshotEntries: 20, trailingEntries: 2 };
  const network = new MemoryNetwork();
  const disks = ids.map(() => blankDisk(configurationOf(ids)));
  const [one, two] = [0, 1].map((i) =>
    startMember(memberId(i + 1), disks[i] ?? blankDisk(configurationOf(ids)), network, limits),
  );
  if (one === undefined || two === undefined) throw new Error('two members started');
  await until(one, (status) => status.leader !== null);
  for (let i = 0; i < 100; i += 1) t.true((await one.node.propose(command(`${i}`))).ok);
  const three = startMember(memberId(3), blankDisk(configurationOf(ids)), network, limits);
  await until(three, (status) => status.leader !== null);
  t.deepEqual(await three.node.readBarrier(), ok(undefined));
  t.deepEqual(three.journal.lines, one.journal.lines);
  t.true((await three.node.propose(command('last'))).ok);
  for (const member of [one, two, three]) await member.node.stop();
});

test('a command over the bound is refused with its size', async (t) => {
  const node = await startAlone(new Journal());
  const result = await node.propose(new Uint8Array(defaultLimits.commandBytesMax + 1));
  t.is(result.ok ? null : result.error.code, 'too-large');
  await node.stop();
});

/** A store whose disk can be filled up. */
class FillableStore extends MemoryLogStore {
  full = false;

  override async write(list: readonly Persist[]): Promise<Result<void, StoreError>> {
    return this.full ? fail({ code: 'full', detail: 'no room left' }) : super.write(list);
  }
}

test('a configuration that is not committed is in force, and not told as one that is', async (t) => {
  const ids = [1, 2].map(memberId);
  const network = new MemoryNetwork();
  const stores = ids.map(() => new FillableStore(blankDisk(configurationOf(ids))));
  const limits = { ...defaultLimits, diskRetry: milliseconds(50) };
  const members = ids.map((id, i) => startWith(id, stores[i], network, limits));
  await Promise.all(members.map((member) => until(member, (status) => status.leader !== null)));
  const leader = members.find(({ node }) => node.status().role === 'leader');
  const follower = stores[members.findIndex((member) => member !== leader)];
  if (leader === undefined || follower === undefined) throw new Error('there is a leader');
  t.true((await leader.node.propose(command('ready'))).ok);

  follower.full = true;
  const peers = ['host3:1'];
  const change = { kind: 'add', member: memberId(3), peers, staysLearner: true } as const;
  const added = leader.node.changeMembership(change);
  await until(leader, ({ configuration }) => configuration.learners.length === 1);
  t.deepEqual(await leader.node.readBarrier(), ok(undefined));
  t.deepEqual(leader.node.status().committedConfiguration, configurationOf(ids));

  follower.full = false;
  t.true((await added).ok);
  t.deepEqual(leader.node.status().committedConfiguration.learners, [3]);
  for (const member of members) await member.node.stop();
});

test('while the leader hands over, what it does not take is asked again at ticks, not in a loop', async (t) => {
  const ids = [1, 2, 3].map(memberId);
  const network = new MemoryNetwork();
  const stores = ids.map(() => new MemoryLogStore(blankDisk(configurationOf(ids))));
  const seen = ids.map((): Input[] => []);
  const members = ids.map((id, i) =>
    startWith(id, stores[i], network, defaultLimits, (inputs) => seen[i]?.push(...inputs)),
  );
  await Promise.all(members.map((member) => until(member, (status) => status.leader !== null)));
  const leader = members.find(({ node }) => node.status().role === 'leader');
  const successor = ids.find((id) => id !== leader?.node.status().member);
  if (leader === undefined || successor === undefined) throw new Error('there is a leader');
  while (!leader.node.followers().some((each) => each.member === successor && each.caughtUp))
    await new Promise((wait) => setTimeout(wait, 20));

  // It is not told that it is to lead: the hand-over ends by its time-out.
  network.detach(successor);
  for (const inputs of seen) inputs.length = 0;
  const handedOver = leader.node.transferLeadership(successor);
  const proposers = members.filter((_, i) => ids[i] !== successor);
  const proposed = proposers.map(({ node }) => node.propose(command('meanwhile')));
  t.false((await handedOver).ok);
  for (const result of await Promise.all(proposed)) t.true(result.ok);
  for (const inputs of seen) {
    const count = (kind: Input['kind']) => inputs.filter((input) => input.kind === kind).length;
    t.true(count('propose') <= count('tick') + 2, `${count('propose')} in ${count('tick')} ticks`);
  }
  for (const member of members) await member.node.stop();
});

test('a member with a full disk hands over, serves reads only, and recovers', async (t) => {
  const ids = [1, 2, 3].map(memberId);
  const network = new MemoryNetwork();
  const stores = ids.map(() => new FillableStore(blankDisk(configurationOf(ids))));
  const limits = { ...defaultLimits, diskRetry: milliseconds(50) };
  const members = ids.map((id, i) => startWith(id, stores[i], network, limits));
  await Promise.all(members.map((member) => until(member, (status) => status.leader !== null)));
  const leader = members[0]?.node.status().leader ?? 0;
  const [first, store] = [members[leader - 1], stores[leader - 1]];
  if (first === undefined || store === undefined) throw new Error('there is a leader');

  store.full = true;
  void first.node.propose(command('in between'));
  await until(first, (status) => status.leader !== null && status.leader !== leader);
  const refused = await first.node.propose(command('refused'));
  t.is(refused.ok ? null : refused.error.code, 'read-only');
  t.deepEqual(await first.node.readBarrier(), ok(undefined));
  const other = members.find((member) => member !== first);
  t.true((await other?.node.propose(command('elsewhere')))?.ok);

  store.full = false;
  while (first.node.disk().state !== 'good') await new Promise((wait) => setTimeout(wait, 20));
  t.true((await first.node.propose(command('again'))).ok);
  t.deepEqual(first.journal.lines, ['in between', 'elsewhere', 'again']);
  for (const member of members) await member.node.stop();
});
