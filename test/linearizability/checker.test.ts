import test from 'ava';
import fc from 'fast-check';
import { checkLinearizable, explanationOf, type Model, type Operation } from './checker.ts';

type Input = { readonly kind: 'read' } | { readonly kind: 'write'; readonly value: number };

/** One register, whose writes answer nothing. */
const register: Model<number, Input, number> = {
  initial: 0,
  step: (state, input, output) => {
    if (input.kind === 'write') return [input.value];
    return output === null || output === state ? [state] : [];
  },
  nameOf: String,
  orderOf: () => null,
  onlyReads: ({ kind }) => kind === 'read',
  partition: (history) => [history],
  describe: (input, output) =>
    input.kind === 'write' ? `write ${input.value}` : `read ${output ?? '?'}`,
};

type RegisterOperation = Operation<Input, number>;

function operation(
  invoked: number,
  returned: number | null,
  input: Input,
  output: number | null = null,
): RegisterOperation {
  return { process: 1, invoked, returned, input, output };
}

/** Tries every order of every subset that has all answered operations: too slow to be wrong. */
function bruteForce(
  history: readonly RegisterOperation[],
  state = 0,
  left: ReadonlySet<RegisterOperation> = new Set(history),
): boolean {
  const answered = [...left].filter(({ returned }) => returned !== null);
  if (answered.length === 0) return true;
  const deadline = Math.min(...answered.map(({ returned }) => returned ?? 0));
  for (const each of left) {
    if (each.invoked > deadline) continue;
    const rest = new Set(left);
    rest.delete(each);
    for (const next of register.step(state, each.input, each.output))
      if (bruteForce(history, next, rest)) return true;
  }
  return false;
}

const anyInput: fc.Arbitrary<Input> = fc.oneof(
  fc.constant<Input>({ kind: 'read' }),
  fc.integer({ min: 1, max: 3 }).map((value): Input => ({ kind: 'write', value })),
);

const anyOperation: fc.Arbitrary<RegisterOperation> = fc
  .record({
    invoked: fc.integer({ min: 0, max: 12 }),
    lasts: fc.option(fc.integer({ min: 0, max: 6 }), { freq: 5 }),
    input: anyInput,
    output: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ invoked, lasts, input, output }) =>
    operation(
      invoked,
      lasts === null ? null : invoked + lasts,
      input,
      lasts === null ? null : output,
    ),
  );

test('the search says the same as trying every order', (t) => {
  const verdicts = new Set<string>();
  fc.assert(
    fc.property(fc.array(anyOperation, { maxLength: 7 }), (history) => {
      const { kind } = checkLinearizable(register, history);
      verdicts.add(kind);
      return kind === (bruteForce(history) ? 'linearizable' : 'not-linearizable');
    }),
    { numRuns: 3000 },
  );
  t.deepEqual([...verdicts].sort(), ['linearizable', 'not-linearizable']);
});

test('an empty history is linearizable', (t) => {
  t.is(checkLinearizable(register, []).kind, 'linearizable');
});

test('operations that share an instant are concurrent', (t) => {
  const write = operation(0, 5, { kind: 'write', value: 1 });
  const stale = operation(5, 6, { kind: 'read' }, 0);
  t.is(checkLinearizable(register, [write, stale]).kind, 'linearizable');
  const later = { ...stale, invoked: 5.5 };
  t.is(checkLinearizable(register, [write, later]).kind, 'not-linearizable');
});

test('a search that is too long is given up, and says so', (t) => {
  // Many writes without an answer, and a read that none of them explains.
  const writes = Array.from({ length: 30 }, (_, at) =>
    operation(at, null, { kind: 'write', value: at + 1 }),
  );
  const history = [...writes, operation(100, 101, { kind: 'read' }, 99)];
  const verdict = checkLinearizable(register, history, 1000);
  t.deepEqual(verdict, { kind: 'undecided', operations: 31 });
  t.is(explanationOf(verdict), 'the search was too long in a part of 31 operations');
});

test('long histories take little time where few operations are under way at once', (t) => {
  const history = Array.from({ length: 20_000 }, (_, at) =>
    at % 2 === 0
      ? operation(at, at + 2.5, { kind: 'write', value: at })
      : operation(at, at + 2.5, { kind: 'read' }, at - 1),
  );
  t.is(checkLinearizable(register, history).kind, 'linearizable');
});

test('an explanation shows what is needed to see the fault, and no more', (t) => {
  const history = [
    operation(0, 1, { kind: 'write', value: 1 }),
    operation(2, 3, { kind: 'read' }, 1),
    operation(4, 5, { kind: 'write', value: 2 }),
    operation(6, 7, { kind: 'read' }, 2),
    operation(8, 9, { kind: 'read' }, 1),
    operation(10, 11, { kind: 'write', value: 3 }),
    operation(12, 13, { kind: 'read' }, 3),
  ];
  t.is(
    explanationOf(checkLinearizable(register, history)),
    [
      'no order explains these 3 operations:',
      '  1: write 1 [0, 1]',
      '  1: write 2 [4, 5]',
      '  1: read 1 [8, 9]',
      'after write 1, then write 2 there is no place for read 1',
    ].join('\n'),
  );
});
