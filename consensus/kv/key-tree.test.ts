import test from 'ava';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import type { ByteString } from './byte-string.ts';
import { KeyTree } from './key-tree.ts';

const newTree = () => new KeyTree<number>((value) => value % 3);

function entries(tree: KeyTree<number>, from: string, to: string | null): [string, number][] {
  const found: [string, number][] = [];
  tree.scan(from as ByteString, to as ByteString | null, (value, key) => {
    found.push([key, value]);
    return true;
  });
  return found;
}

const key = fc
  .array(fc.constantFrom('a', 'b', '\0', '\xff', 'z'), { maxLength: 4 })
  .map((letters) => letters.join('') as ByteString);

test('a tree holds what a sorted map holds, after any writes and removals', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, fc.option(fc.nat(1000))), { maxLength: 400 }),
      key,
      key,
      (writes, from, to) => {
        const tree = newTree();
        const model = new Map<string, number>();
        for (const [each, value] of writes) {
          if (value === null) {
            tree.delete(each);
            model.delete(each);
          } else {
            tree.set(each, value);
            model.set(each, value);
          }
        }
        const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
        const within = sorted.filter(([each]) => each >= from && each < to);
        t.deepEqual(entries(tree, '', null), sorted);
        t.deepEqual(entries(tree, from, to), within);
        t.is(tree.size, model.size);
        t.is(
          tree.weightBetween(from, to),
          within.reduce((sum, [, value]) => sum + (value % 3), 0),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('20,000 keys in a random order come out in order, and all can be removed again', (t) => {
  const random = seededRandom(7);
  const tree = newTree();
  const model = new Map<ByteString, number>();
  for (let written = 0; written < 20_000; written += 1) {
    const each = `key-${random.below(1_000_000)}` as ByteString;
    tree.set(each, written);
    model.set(each, written);
  }
  const keys = [...model.keys()].sort();
  t.deepEqual(
    entries(tree, '', null),
    keys.map((each) => [each, model.get(each) ?? -1]),
  );
  t.true(keys.every((each) => tree.get(each) === model.get(each)));
  for (const each of keys.slice(0, -1)) tree.delete(each);
  t.is(tree.size, 1);
  t.is(tree.weight, (model.get(keys.at(-1) as ByteString) ?? 0) % 3);
});

test('a scan stops when the visitor says so', (t) => {
  const tree = newTree();
  for (let each = 0; each < 500; each += 1) tree.set(`${1000 + each}` as ByteString, each);
  const seen: number[] = [];
  tree.scan('1100' as ByteString, null, (value) => {
    seen.push(value);
    return seen.length < 3;
  });
  t.deepEqual(seen, [100, 101, 102]);
});
