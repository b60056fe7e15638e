import test from 'ava';
import fc from 'fast-check';
import { Children } from './children.ts';

const names = fc.constantFrom('a', 'b', 'costarring', 'liquid', 'declinate', 'macallums', '0', '1');
const changes = fc.array(
  fc.record({ name: fc.oneof(names, fc.string()), value: fc.option(fc.nat()) }),
);

test('it behaves as a Map does, order included, whatever is added and removed', (t) => {
  fc.assert(
    fc.property(changes, (list) => {
      const model = new Map<string, number>();
      let children = Children.empty<number>();
      for (const { name, value } of list) {
        if (value === null) model.delete(name);
        else model.set(name, value);
        children = value === null ? children.without(name) : children.with(name, value);
        t.is(children.get(name), model.get(name));
      }
      t.deepEqual(children.names(), [...model.keys()]);
      t.is(children.size, model.size);
    }),
  );
});

test('names whose hashes are equal are kept apart', (t) => {
  // FNV-1a is the same for both: a pair known from the literature.
  const both = Children.empty<number>().with('costarring', 1).with('liquid', 2);
  t.is(both.get('costarring'), 1);
  t.is(both.get('liquid'), 2);
  t.is(both.without('costarring').get('liquid'), 2);
  t.deepEqual(both.names(), ['costarring', 'liquid']);
});

test('an older version is not changed by what is made from it', (t) => {
  const old = Children.empty<number>().with('a', 1);
  old.with('b', 2).without('a');
  t.deepEqual(old.names(), ['a']);
});
