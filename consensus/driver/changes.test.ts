import test from 'ava';
import { ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { firstConfiguration } from '../../test/contract/log-store.ts';
import type { Configuration } from '../core/configuration.ts';
import type { Entry } from '../core/entry.ts';
import { logIndex, memberId, term } from '../core/ids.ts';
import type { MembershipChange, MembershipRefusal } from '../core/membership.ts';
import type { MembershipError } from '../replica.ts';
import { ChangeBook } from './changes.ts';
import { defaultLimits } from './limits.ts';
import { refusalSentence } from './refusals.ts';

const self = memberId(1);
const change: MembershipChange = { kind: 'remove', member: memberId(3) };

function book(): ChangeBook {
  let number = 0;
  const limits = { ...defaultLimits, requestTimeout: milliseconds(100), pendingChangesMax: 2 };
  return new ChangeBook(self, limits, () => {
    number += 1;
    return number;
  });
}

/** An entry that a change of this member has made, or of another. */
function changed(number: number, at: number, member = self): Entry {
  const payload = {
    kind: 'configuration',
    configuration: firstConfiguration,
    proposal: { member, number },
  } as const;
  return { index: logIndex(9), term: term(at), payload };
}

async function codeOf(promise: Promise<Result<Configuration, MembershipError>>): Promise<string> {
  const result = await promise;
  return result.ok ? 'ok' : result.error.code;
}

test('a change is answered with the configuration when its entry is applied', async (t) => {
  const changes = book();
  const promise = changes.request(change, 0);
  t.deepEqual(changes.handOver(term(1)), [{ number: 1, change }]);
  t.deepEqual(changes.handOver(term(1)), [], 'it is handed over once');
  changes.applied([changed(1, 1, memberId(2))]);
  changes.applied([changed(1, 1)]);
  t.deepEqual(await promise, ok(firstConfiguration));
});

test('what an earlier term has lost is handed over again, under a new number', async (t) => {
  const changes = book();
  const promise = changes.request(change, 0);
  changes.handOver(term(3));
  changes.applied([{ index: logIndex(5), term: term(4), payload: { kind: 'noop' } }]);
  t.true(changes.hasWaiting);
  t.deepEqual(changes.handOver(term(4)), [{ number: 2, change }]);
  changes.applied([changed(2, 4)]);
  t.is(await codeOf(promise), 'ok');
});

test('what is applied with the first entry of a later term is not handed over again', async (t) => {
  const changes = book();
  const promise = changes.request(change, 0);
  changes.handOver(term(3));
  const first: Entry = { index: logIndex(10), term: term(4), payload: { kind: 'noop' } };
  changes.applied([changed(1, 3), first]);
  t.is(await codeOf(promise), 'ok');
  t.false(changes.hasWaiting);
});

test('a refusal is the answer, and says what to do', async (t) => {
  const changes = book();
  const promise = changes.request(change, 0);
  changes.handOver(term(1));
  changes.refused(1, 'majority-needed');
  const detail = refusalSentence('majority-needed', change);
  t.deepEqual(await promise, { ok: false, error: { code: 'majority-needed', detail } });
});

test('every refusal has a sentence of its own', (t) => {
  const reasons: readonly MembershipRefusal[] = [
    'not-ready',
    'change-under-way',
    'member-exists',
    'address-taken',
    'member-not-found',
    'not-a-learner',
    'not-caught-up',
    'too-many-members',
    'majority-needed',
  ];
  const sentences = new Set(reasons.map((reason) => refusalSentence(reason, change)));
  t.is(sentences.size, reasons.length);
});

test('after the time-out the outcome is unknown only of what was handed over', async (t) => {
  const changes = book();
  const handed = changes.request(change, 0);
  changes.handOver(term(1));
  const waiting = changes.request(change, 0);
  changes.expire(99);
  t.is(await codeOf(changes.request(change, 99)), 'overloaded', 'both are still open');
  changes.expire(100);
  t.is(await codeOf(handed), 'outcome-unknown');
  t.is(await codeOf(waiting), 'no-leader');
});

test('a snapshot may hide what became of a change', async (t) => {
  const changes = book();
  const promise = changes.request(change, 0);
  changes.handOver(term(2));
  const place = { index: logIndex(9), term: term(2) };
  changes.replaced({ ...place, configuration: firstConfiguration });
  t.is(await codeOf(promise), 'outcome-unknown');
});

test('at the end all are answered', async (t) => {
  const changes = book();
  const handed = changes.request(change, 0);
  changes.handOver(term(1));
  const waiting = changes.request(change, 0);
  changes.abandon({ code: 'stopped', detail: 'this member is shutting down' });
  t.is(await codeOf(handed), 'outcome-unknown');
  t.is(await codeOf(waiting), 'stopped');
});
