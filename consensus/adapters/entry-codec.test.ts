import test from 'ava';
import fc from 'fast-check';
import { persist } from '../../test/contract/log-store.ts';
import { configurationOf } from '../core/configuration.ts';
import type { Entry, Payload } from '../core/entry.ts';
import { logIndex, memberId, term } from '../core/ids.ts';
import { decodeRecords, encodeEntry, persistsSize, writePersists } from './entry-codec.ts';

const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(memberId);
const members = fc.array(whole.map(memberId), { maxLength: 9 });
const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.constant<Payload>({ kind: 'noop' }),
  fc
    .record({ member: whole.map(memberId), number: whole, command: fc.uint8Array() })
    .map(({ member, number, command }): Payload => {
      return { kind: 'command', proposal: { id: { member, number }, command } };
    }),
  fc
    .record({
      voters: members,
      learners: members,
      joining: members,
      addresses: fc.array(
        fc.record({ member: id, peers: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }) }),
      ),
      proposal: fc.option(fc.record({ member: id, number: whole })),
    })
    .map(
      ({ proposal, ...configuration }): Payload => ({
        kind: 'configuration',
        configuration,
        proposal,
      }),
    ),
);
const entry: fc.Arbitrary<Entry> = fc.record({
  index: whole.map(logIndex),
  term: whole.map(term),
  payload,
});

/** As text, with bytes in hexadecimal whatever class they are of. */
function plain(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return `[${value.map(plain).join()}]`;
  if (typeof value !== 'object' || value === null) return `${value}`;
  const fields = Object.entries(value).map(([name, field]) => `${name}:${plain(field)}`);
  return `{${fields.sort().join()}}`;
}

test('what is encoded is decoded again', (t) => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), whole, (entries, number) => {
      const reset = { index: logIndex(number), term: term(number) };
      const hardState = { term: term(number), vote: null, commit: logIndex(number) };
      const list = [persist({ hardState, entries }), persist({ reset })];
      const buffer = Buffer.alloc(persistsSize(list));
      if (writePersists(buffer, 0, list) !== buffer.byteLength) return false;
      const records = decodeRecords(buffer);
      const expected = [
        { kind: 'hard-state', hardState },
        ...entries.map((each) => ({ kind: 'entry', entry: each })),
        { kind: 'reset', position: reset },
      ];
      return records.ok && plain(records.value) === plain(expected);
    }),
  );
  t.pass();
});

test('configurations of before members had addresses are read', (t) => {
  const old = Buffer.alloc(1 + 8 + 8 + 4 + 2 * 8 + 4);
  old.writeUInt8(5, 0);
  old.writeDoubleLE(7, 1);
  old.writeDoubleLE(2, 9);
  old.writeUInt32LE(2, 17);
  old.writeDoubleLE(11, 21);
  old.writeDoubleLE(12, 29);
  const records = decodeRecords(old);
  t.deepEqual(records.ok && records.value, [
    {
      kind: 'entry',
      entry: {
        index: logIndex(7),
        term: term(2),
        payload: {
          kind: 'configuration',
          configuration: configurationOf([memberId(11), memberId(12)]),
          proposal: null,
        },
      },
    },
  ]);
});

test('any bytes are records or a failure, never a crash', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const records = decodeRecords(bytes);
      return records.ok || records.error.length > 0;
    }),
  );
  t.pass();
});

test('a record that is cut short, or has a byte too many, is a failure', (t) => {
  fc.assert(
    fc.property(entry, (each) => {
      const bytes = encodeEntry(each);
      for (let length = 1; length < bytes.byteLength; length += 1)
        if (decodeRecords(bytes.subarray(0, length)).ok) return false;
      return !decodeRecords(Buffer.concat([bytes, Buffer.of(0)])).ok;
    }),
    { numRuns: 30 },
  );
  t.pass();
});
