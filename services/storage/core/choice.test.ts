import test from 'ava';
import fc from 'fast-check';
import { type Bytes, bytes } from '../../../base/units.ts';
import { chooseRepository, hasRoom } from './choice.ts';

const size = fc.integer({ min: 0, max: 50 }).map(bytes);
const candidates = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 3 }),
    host: fc.constantFrom('a', 'b'),
    physicalFree: size,
  }),
  { selector: (candidate) => candidate.id, maxLength: 8 },
);
const demand = fc.record({ virtualSize: size, host: fc.constantFrom('a', 'b', null) });

test('the chosen repository has room, is on the host, and none that fits has more room', (t) => {
  fc.assert(
    fc.property(candidates, demand, (all, wanted) => {
      const fitting = all.filter(
        (one) =>
          (wanted.host === null || one.host === wanted.host) &&
          hasRoom(one.physicalFree, wanted.virtualSize),
      );
      const chosen = chooseRepository(all, wanted);
      if (chosen === null) return fitting.length === 0;
      return (
        fitting.includes(chosen) && fitting.every((one) => one.physicalFree <= chosen.physicalFree)
      );
    }),
  );
  t.pass();
});

test('the order of the repositories does not change which one is chosen', (t) => {
  fc.assert(
    fc.property(
      candidates,
      demand,
      (all, wanted) =>
        chooseRepository(all, wanted) === chooseRepository([...all].reverse(), wanted),
    ),
  );
  t.pass();
});

test('an image may be as large as what is free, and not one byte larger', (t) => {
  t.true(hasRoom(1024 as Bytes, 1024 as Bytes));
  t.false(hasRoom(1024 as Bytes, 1025 as Bytes));
});
