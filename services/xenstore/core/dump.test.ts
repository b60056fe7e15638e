import { deepStrictEqual } from 'node:assert';
import test from 'ava';
import fc from 'fast-check';
import { beginning, lifeOf, live } from '../../../test/fixtures/xenstore-life.ts';
import { Store } from './store.ts';

const numRuns = Number(process.env.DUMP_RUNS ?? 400);

function ids(): () => number {
  let next = 100;
  return () => {
    next += 1;
    return next;
  };
}

test('[X67] a store that is made of a dump does what the one would that was dumped', (t) => {
  const kinds = new Set<string>();
  t.notThrows(() =>
    fc.assert(
      fc.property(lifeOf, fc.nat(120), (life, moment) => {
        const store = new Store();
        for (const input of beginning) store.step(input);
        const newId = ids();
        for (const each of life.slice(0, moment)) live(store, each, newId);
        const dump = store.dump();
        if (dump.connections.some(({ transactions }) => transactions.length > 0)) kinds.add('open');
        if (dump.waiting.length > 0) kinds.add('waiting');
        if (dump.debtors.length > 0) kinds.add('debtors');
        if (dump.domains.some(({ held }) => held)) kinds.add('held');
        if (dump.watches.length > 2) kinds.add('watches');
        const heir = Store.from(dump);
        const [one, other] = [ids(), ids()];
        for (let skip = newId() - 101; skip > 0; skip -= 1) {
          one();
          other();
        }
        for (const each of life.slice(moment))
          deepStrictEqual(live(heir, each, other), live(store, each, one));
        deepStrictEqual(heir.check(), []);
        deepStrictEqual(heir.report(), store.report());
        deepStrictEqual({ ...heir.dump(), top: null }, { ...store.dump(), top: null });
      }),
      { numRuns, includeErrorInReport: true },
    ),
  );
  // What is to be dumped has to be there for the test to say anything.
  t.deepEqual([...kinds].sort(), ['debtors', 'held', 'open', 'waiting', 'watches']);
});
