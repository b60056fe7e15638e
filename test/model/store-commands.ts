import fc from 'fast-check';
import type { ByteString } from '../../consensus/kv/byte-string.ts';
import type { KeyRange } from '../../consensus/kv/key-range.ts';
import type { DataCommand, Operation, RangeRequest } from '../../consensus/kv/request.ts';
import { validate } from '../../consensus/kv/validate.ts';
import type { LeaseId, Revision } from '../../consensus/kv/version.ts';

/** A text whose characters are bytes. */
export const bytes = (text: string) => text as ByteString;
/** The keys that the commands are about: few, so that they meet. */
export const keys = ['a', 'b', 'ba', 'c', 'd', '\xff'].map(bytes);
const keyOf = fc.constantFrom(...keys);
const leaseOf = fc.constantFrom(1n, 2n, -3n).map((id) => id as LeaseId);
/** A revision that may or may not exist. */
export const revisionOf = fc.integer({ min: 0, max: 30 }).map((revision) => revision as Revision);
const flag = fc.boolean();

/** A key or a span. */
export const rangeOf: fc.Arbitrary<KeyRange> = fc.oneof(
  keyOf.map((key) => ({ kind: 'key', key }) as const),
  fc.record({
    kind: fc.constant('span' as const),
    from: keyOf,
    to: fc.option(keyOf),
  }),
);

const putOf = fc.record({
  kind: fc.constant('put' as const),
  key: keyOf,
  value: fc.constantFrom('', 'x', 'y\xff').map(bytes),
  lease: fc.oneof({ weight: 3, arbitrary: fc.constant(0n as LeaseId) }, leaseOf),
  withPrevious: flag,
  ignoreValue: flag,
  ignoreLease: flag,
});

const deleteOf = fc.record({
  kind: fc.constant('delete' as const),
  range: rangeOf,
  withPrevious: flag,
});

/** A Range with any of its options. */
export const readOf: fc.Arbitrary<RangeRequest> = fc.record({
  kind: fc.constant('range' as const),
  range: rangeOf,
  limit: fc.integer({ min: 0, max: 3 }),
  revision: fc.oneof(fc.constant(0 as Revision), revisionOf),
  sortTarget: fc.constantFrom('key' as const, 'version', 'create', 'mod', 'value'),
  descending: flag,
  keysOnly: flag,
  countOnly: flag,
  minModRevision: fc.oneof(fc.constant(0 as Revision), revisionOf),
  maxModRevision: fc.oneof(fc.constant(0 as Revision), revisionOf),
  minCreateRevision: fc.constant(0 as Revision),
  maxCreateRevision: fc.oneof(fc.constant(0 as Revision), revisionOf),
});

const compareOf = fc.record({
  range: rangeOf,
  operator: fc.constantFrom('equal' as const, 'greater', 'less', 'not-equal'),
  operand: fc.oneof(
    fc.record({
      target: fc.constantFrom('version' as const, 'create', 'mod'),
      number: fc.integer({ min: 0, max: 10 }),
    }),
    fc.record({ target: fc.constant('lease' as const), lease: leaseOf }),
    fc.record({
      target: fc.constant('value' as const),
      value: fc.constantFrom('', 'x').map(bytes),
    }),
  ),
});

const { txn: txnOf } = fc.letrec<{
  operation: Operation;
  txn: Extract<Operation, { kind: 'txn' }>;
}>((tie) => ({
  operation: fc.oneof({ maxDepth: 2 }, putOf, deleteOf, readOf, tie('txn')),
  txn: fc.record({
    kind: fc.constant('txn' as const),
    compares: fc.array(compareOf, { maxLength: 2 }),
    success: fc.array(tie('operation'), { maxLength: 3 }),
    failure: fc.array(tie('operation'), { maxLength: 2 }),
  }),
}));

const alarmMemberOf = fc.integer({ min: 1, max: 2 });
const alarmKindOf = fc.constantFrom('no-space' as const, 'corrupt');
const alarmCauseOf = fc.constantFrom('quota' as const, 'disk', 'asked');
const alarmOf = fc.record({
  member: alarmMemberOf,
  kind: alarmKindOf,
  cause: fc.oneof({ weight: 4, arbitrary: fc.constant('disk' as const) }, alarmCauseOf),
});

/** A command that passes `validate`. */
export const commandOf: fc.Arbitrary<DataCommand> = fc
  .oneof(
    { weight: 6, arbitrary: putOf },
    { weight: 3, arbitrary: deleteOf },
    { weight: 6, arbitrary: txnOf },
    {
      weight: 1,
      arbitrary: revisionOf.map((revision) => ({ kind: 'compact' as const, revision })),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('grant' as const),
        id: leaseOf,
        ttl: fc.constantFrom(1, 60, 9_000_000_001),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('revoke' as const), id: leaseOf }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('renew' as const),
        ids: fc.array(leaseOf, { maxLength: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('expire' as const),
        leases: fc.array(fc.record({ id: leaseOf, renewals: fc.nat(2) }), { maxLength: 2 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('describe' as const),
        member: fc.nat(3),
        name: fc.constant(bytes('host-1')),
        clientUrls: fc.array(fc.constant(bytes('http://127.0.0.1:2379')), { maxLength: 2 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('raise' as const), alarm: alarmOf }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('clear' as const),
        alarms: fc.record({
          member: fc.option(alarmMemberOf),
          kind: fc.option(alarmKindOf),
          cause: fc.option(alarmCauseOf),
        }),
      }),
    },
  )
  .filter(
    (command) =>
      !('key' in command || 'range' in command || command.kind === 'txn') ||
      validate(command) === null,
  );

/** A few commands. */
export const commandsOf = fc.array(commandOf, { maxLength: 60 });
/** Enough commands that revisions, compactions and leases meet. */
export const manyCommandsOf = fc.array(commandOf, { minLength: 30, maxLength: 60 });
/** Every key. */
export const allKeys: KeyRange = { kind: 'span', from: bytes('\0'), to: null };
