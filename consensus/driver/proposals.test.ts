import test from 'ava';
import { ok, type Result } from '../../base/result.ts';
import { bytes, milliseconds } from '../../base/units.ts';
import { commandEntry, firstConfiguration } from '../../test/contract/log-store.ts';
import { logIndex, memberId, term } from '../core/ids.ts';
import type { ReplicaError } from '../replica.ts';
import { defaultLimits, type NodeLimits } from './limits.ts';
import { ProposalBook } from './proposals.ts';

const self = memberId(1);

function book(limits: Partial<NodeLimits> = {}): ProposalBook<string> {
  let number = 0;
  const all = { ...defaultLimits, requestTimeout: milliseconds(100), ...limits };
  return new ProposalBook(self, all, () => {
    number += 1;
    return number;
  });
}

const command = (text: string): Uint8Array => Buffer.from(text);

async function codeOf(promise: Promise<Result<string, ReplicaError>>): Promise<string> {
  const result = await promise;
  return result.ok ? 'ok' : result.error.code;
}

test('a proposal is answered when its entry is applied, and others’ entries mean nothing', async (t) => {
  const proposals = book();
  const promise = proposals.propose(command('a'), 0);
  const [mine] = proposals.handOver(term(1));
  if (mine === undefined) throw new Error('one was handed over');
  proposals.applied({ ...mine, id: { ...mine.id, member: memberId(2) } }, 'other');
  proposals.applied(mine, 'reply');
  t.deepEqual(await promise, ok('reply'));
});

test('what an earlier term has lost is proposed again under a new number', async (t) => {
  const proposals = book();
  const promise = proposals.propose(command('a'), 0);
  const [first] = proposals.handOver(term(3));
  proposals.advanced(commandEntry(5, 3));
  t.false(proposals.hasWaiting, 'its own term may still bring it');
  proposals.advanced(commandEntry(6, 4));
  const [second] = proposals.handOver(term(4));
  t.deepEqual(second?.command, first?.command);
  t.true((second?.id.number ?? 0) > (first?.id.number ?? 0));
  if (first !== undefined) proposals.applied(first, 'late');
  if (second !== undefined) proposals.applied(second, 'reply');
  t.deepEqual(await promise, ok('reply'));
});

test('what was refused while the leader hands over rests, and is then proposed after all others', async (t) => {
  const proposals = book();
  const promise = proposals.propose(command('a'), 0);
  const [first] = proposals.handOver(term(1));
  proposals.refused(first?.id.number ?? 0, 'transferring');
  t.false(proposals.hasWaiting, 'the same leader would only refuse it again');
  void proposals.propose(command('b'), 0);
  const [later] = proposals.handOver(term(1));
  proposals.retry();
  const [second] = proposals.handOver(term(1));
  t.deepEqual(second?.command, first?.command);
  t.true((second?.id.number ?? 0) > (later?.id.number ?? 0), 'a lower number is not taken');
  if (second !== undefined) proposals.applied(second, 'reply');
  t.deepEqual(await promise, ok('reply'));
});

test('what rests had no effect, also when its time is up', async (t) => {
  const proposals = book();
  const promise = proposals.propose(command('a'), 0);
  const [first] = proposals.handOver(term(1));
  proposals.refused(first?.id.number ?? 0, 'transferring');
  proposals.expire(100);
  t.is(await codeOf(promise), 'no-leader');
  proposals.retry();
  t.false(proposals.hasWaiting);
});

test('a leader without room is the answer, and says that nothing was done', async (t) => {
  const proposals = book();
  const promise = proposals.propose(command('a'), 0);
  const [first] = proposals.handOver(term(1));
  proposals.refused(first?.id.number ?? 0, 'overloaded');
  t.is(await codeOf(promise), 'overloaded');
});

test('what no leader took waits for the next one, and fails with its time', async (t) => {
  const proposals = book();
  const [taken, late] = [1, 2].map(() => proposals.propose(command('a'), 0));
  for (const { id } of proposals.handOver(term(1))) proposals.refused(id.number, 'no-leader');
  proposals.retry();
  const [first] = proposals.handOver(term(2));
  if (first !== undefined) proposals.applied(first, 'reply');
  t.deepEqual(await taken, ok('reply'));
  proposals.refused((first?.id.number ?? 0) + 1, 'no-leader');
  proposals.expire(100);
  t.is(late === undefined ? null : await codeOf(late), 'no-leader');
});

test('after the time-out the outcome is unknown only of what was handed over', async (t) => {
  const proposals = book();
  const handed = proposals.propose(command('a'), 0);
  proposals.handOver(term(1));
  const waiting = proposals.propose(command('b'), 0);
  proposals.expire(99);
  proposals.expire(100);
  t.is(await codeOf(handed), 'outcome-unknown');
  t.is(await codeOf(waiting), 'no-leader');
});

test('a snapshot may hide what became of a proposal', async (t) => {
  const proposals = book();
  const promise = proposals.propose(command('a'), 0);
  proposals.handOver(term(2));
  const place = { index: logIndex(9), configuration: firstConfiguration };
  proposals.replaced({ ...place, term: term(2) });
  t.is(await codeOf(promise), 'outcome-unknown');
});

test('commands are bounded, one by one and all together', async (t) => {
  const limits = { commandBytesMax: bytes(10), pendingBytesMax: bytes(15), pendingProposalsMax: 2 };
  const proposals = book(limits);
  t.is(await codeOf(proposals.propose(command('x'.repeat(11)), 0)), 'too-large');
  void proposals.propose(command('x'.repeat(10)), 0);
  t.is(await codeOf(proposals.propose(command('x'.repeat(6)), 0)), 'overloaded');
  void proposals.propose(command('x'), 0);
  t.is(await codeOf(proposals.propose(command('x'), 0)), 'overloaded');
});

test('at the end all are answered', async (t) => {
  const proposals = book();
  const handed = proposals.propose(command('a'), 0);
  proposals.handOver(term(1));
  const waiting = proposals.propose(command('b'), 0);
  proposals.abandon({ code: 'stopped', detail: 'this member is shutting down' });
  t.is(await codeOf(handed), 'outcome-unknown');
  t.is(await codeOf(waiting), 'stopped');
});
