import test from 'ava';
import { ok, type Result } from '../../base/result.ts';
import { logIndex, memberId, term } from '../core/ids.ts';
import type { Message } from '../core/message.ts';
import { textBytes } from '../kv/byte-string.ts';
import { encodeCommand } from '../kv/command-codec.ts';
import { keyRange } from '../kv/key-range.ts';
import { Store } from '../kv/store.ts';
import type { LeaseId } from '../kv/version.ts';
import type { StateMachine } from '../replica.ts';
import { acceptable } from './acceptable.ts';
import { defaultLimits } from './limits.ts';

function propose(...commands: readonly Uint8Array[]): Message {
  const [from, to] = [memberId(2), memberId(1)];
  const proposals = commands.map((command, number) => ({ id: { member: from, number }, command }));
  return { from, to, term: term(1), kind: 'propose', proposals };
}

function numbers(accepted: Result<Message, string>): readonly number[] {
  if (!accepted.ok || accepted.value.kind !== 'propose') return [];
  return accepted.value.proposals.map(({ id }) => id.number);
}

function append(...commands: readonly Uint8Array[]): Message {
  const [from, to] = [memberId(2), memberId(1)];
  const entries = commands.map((command, number) => ({
    index: logIndex(number + 1),
    term: term(1),
    payload: { kind: 'command', proposal: { id: { member: from, number }, command } } as const,
  }));
  const place = {
    previousIndex: logIndex(0),
    previousTerm: term(0),
    commit: logIndex(0),
    round: 0,
  };
  return { from, to, term: term(1), kind: 'append', ...place, entries };
}

test('what another member proposes is left out where the store could not read it', (t) => {
  const store = new Store();
  const range = keyRange(textBytes('k'), textBytes(''));
  const good = encodeCommand({ kind: 'delete', range, withPrevious: false });
  const all = propose(good, Buffer.from('noise'), good.subarray(0, 2), Buffer.alloc(0), good);
  t.deepEqual(numbers(acceptable(all, store, defaultLimits)), [0, 4]);
});

test('nobody says of another member who that is', (t) => {
  const describe = (member: number) =>
    encodeCommand({ kind: 'describe', member, name: textBytes('host-1'), clientUrls: [] });
  const both = propose(describe(1), describe(2));
  t.deepEqual(numbers(acceptable(both, new Store(), defaultLimits)), [1]);
});

test('what is larger than a command may be is left out', (t) => {
  const large = propose(Buffer.alloc(defaultLimits.commandBytesMax + 1), Buffer.alloc(1));
  const machine: StateMachine<null> = {
    apply: () => null,
    snapshot: () => [],
    restore: () => ok(undefined),
  };
  t.deepEqual(numbers(acceptable(large, machine, defaultLimits)), [1]);
});

test('a leader whose log has what the store could not read is not followed', (t) => {
  const store = new Store();
  const good = encodeCommand({ kind: 'revoke', id: 7n as LeaseId });
  const sound = append(good, good);
  t.deepEqual(acceptable(sound, store, defaultLimits), ok(sound));
  const poisoned = acceptable(append(good, Buffer.from('noise')), store, defaultLimits);
  t.regex(poisoned.ok ? '' : poisoned.error, /entry 2 is a command that cannot be read/);
});

test('other messages are as they were', (t) => {
  const message = propose();
  t.deepEqual(acceptable(message, new Store(), defaultLimits), ok(message));
});
