import { assert, present } from '../../base/assert.ts';
import type { ByteString } from './byte-string.ts';

/** Keys of a full leaf, and children of a full branch. Measured: 32 to 128 differ by a tenth. */
const fanOut = 64;

interface Leaf<Value> {
  readonly kind: 'leaf';
  keys: ByteString[];
  values: Value[];
  weight: number;
}

/** `bounds[i]` is no greater than the keys of `children[i + 1]`, and above all those before. */
interface Branch<Value> {
  readonly kind: 'branch';
  bounds: ByteString[];
  children: Node<Value>[];
  weight: number;
}

type Node<Value> = Leaf<Value> | Branch<Value>;

/** A node that became full was cut in two: the upper half, and the least key in it. */
interface Split<Value> {
  readonly bound: ByteString;
  readonly upper: Node<Value>;
}

/**
 * An ordered map from keys to values: a B+ tree. Reading, writing and removing one key take
 * O(log n). Each value has a weight, and the sum of the weights between two keys takes O(log n)
 * too. A node is removed when it is empty, not merged before: Johnson and Shasha, "B-trees with
 * inserts and deletes: why free-at-empty is better than merge-at-half" (1993).
 */
export class KeyTree<Value> {
  readonly #weigh: (value: Value) => number;
  #root: Node<Value> = { kind: 'leaf', keys: [], values: [], weight: 0 };
  #size = 0;

  /** `weigh` is a pure function: a value's weight changes only when the value is replaced. */
  constructor(weigh: (value: Value) => number) {
    this.#weigh = weigh;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** The sum of all weights. */
  get weight(): number {
    return this.#root.weight;
  }

  get(key: ByteString): Value | undefined {
    let node = this.#root;
    while (node.kind === 'branch') node = childOf(node, key);
    const at = firstAtOrAbove(node.keys, key);
    return node.keys[at] === key ? node.values[at] : undefined;
  }

  /** Adds the key, or replaces its value. */
  set(key: ByteString, value: Value): void {
    const split = this.#set(this.#root, key, value);
    if (split === null) return;
    const lower = this.#root;
    const weight = lower.weight + split.upper.weight;
    this.#root = {
      kind: 'branch',
      bounds: [split.bound],
      children: [lower, split.upper],
      weight,
    };
  }

  /** Removes the key, which may be missing. */
  delete(key: ByteString): void {
    this.#delete(this.#root, key);
    while (this.#root.kind === 'branch' && this.#root.children.length === 1)
      this.#root = present(this.#root.children[0], 'the only child');
  }

  /** Calls `visit` for each key from `from` to before `to`, in order, until it returns false. */
  scan(
    from: ByteString,
    to: ByteString | null,
    visit: (value: Value, key: ByteString) => boolean,
  ): void {
    scanNode(this.#root, from, to, visit);
  }

  /** The sum of the weights of the keys from `from` to before `to`. */
  weightBetween(from: ByteString, to: ByteString | null): number {
    if (to !== null && to <= from) return 0;
    const below = from === '' ? 0 : this.#weightBelow(from);
    return (to === null ? this.#root.weight : this.#weightBelow(to)) - below;
  }

  #weightBelow(key: ByteString): number {
    let sum = 0;
    let node = this.#root;
    while (node.kind === 'branch') {
      const at = firstAbove(node.bounds, key);
      for (let before = 0; before < at; before += 1) sum += child(node, before).weight;
      node = child(node, at);
    }
    const at = firstAtOrAbove(node.keys, key);
    for (let before = 0; before < at; before += 1) sum += this.#weigh(node.values[before] as Value);
    return sum;
  }

  #set(node: Node<Value>, key: ByteString, value: Value): Split<Value> | null {
    if (node.kind === 'leaf') return this.#setInLeaf(node, key, value);
    const at = firstAbove(node.bounds, key);
    const below = child(node, at);
    const before = below.weight;
    const split = this.#set(below, key, value);
    node.weight += below.weight - before;
    if (split === null) return null;
    node.weight += split.upper.weight;
    node.bounds.splice(at, 0, split.bound);
    node.children.splice(at + 1, 0, split.upper);
    return node.children.length > fanOut ? splitBranch(node) : null;
  }

  #setInLeaf(leaf: Leaf<Value>, key: ByteString, value: Value): Split<Value> | null {
    const at = firstAtOrAbove(leaf.keys, key);
    if (leaf.keys[at] === key) {
      leaf.weight += this.#weigh(value) - this.#weigh(leaf.values[at] as Value);
      leaf.values[at] = value;
      return null;
    }
    leaf.keys.splice(at, 0, key);
    leaf.values.splice(at, 0, value);
    leaf.weight += this.#weigh(value);
    this.#size += 1;
    return leaf.keys.length > fanOut ? this.#splitLeaf(leaf, at) : null;
  }

  /** Keys that come in ascending order leave full leaves behind, not half-full ones. */
  #splitLeaf(leaf: Leaf<Value>, insertedAt: number): Split<Value> {
    const cut = insertedAt === leaf.keys.length - 1 ? insertedAt : leaf.keys.length >>> 1;
    const keys = leaf.keys.splice(cut);
    const values = leaf.values.splice(cut);
    let weight = 0;
    for (const value of values) weight += this.#weigh(value);
    leaf.weight -= weight;
    const bound = present(keys[0], 'a split leaf has keys in both halves');
    return { bound, upper: { kind: 'leaf', keys, values, weight } };
  }

  #delete(node: Node<Value>, key: ByteString): void {
    if (node.kind === 'leaf') {
      const at = firstAtOrAbove(node.keys, key);
      if (node.keys[at] !== key) return;
      node.weight -= this.#weigh(node.values[at] as Value);
      node.keys.splice(at, 1);
      node.values.splice(at, 1);
      this.#size -= 1;
      return;
    }
    const at = firstAbove(node.bounds, key);
    const below = child(node, at);
    const before = below.weight;
    this.#delete(below, key);
    node.weight += below.weight - before;
    const emptied = below.kind === 'leaf' ? below.keys.length === 0 : below.children.length === 0;
    if (!emptied) return;
    node.children.splice(at, 1);
    node.bounds.splice(at === 0 ? 0 : at - 1, 1);
  }
}

function child<Value>(branch: Branch<Value>, at: number): Node<Value> {
  const node = branch.children[at];
  assert(node !== undefined, 'a branch has a child for each of its bounds, and one more');
  return node;
}

function childOf<Value>(branch: Branch<Value>, key: ByteString): Node<Value> {
  return child(branch, firstAbove(branch.bounds, key));
}

function splitBranch<Value>(branch: Branch<Value>): Split<Value> {
  const cut = branch.children.length >>> 1;
  const children = branch.children.splice(cut);
  const bounds = branch.bounds.splice(cut);
  const bound = present(branch.bounds.pop(), 'a split branch has a bound between its halves');
  let weight = 0;
  for (const each of children) weight += each.weight;
  branch.weight -= weight;
  return { bound, upper: { kind: 'branch', bounds, children, weight } };
}

/** Returns whether the scan goes on. */
function scanNode<Value>(
  node: Node<Value>,
  from: ByteString,
  to: ByteString | null,
  visit: (value: Value, key: ByteString) => boolean,
): boolean {
  if (node.kind === 'leaf') {
    for (let at = firstAtOrAbove(node.keys, from); at < node.keys.length; at += 1) {
      const key = node.keys[at] as ByteString;
      if (to !== null && key >= to) return false;
      if (!visit(node.values[at] as Value, key)) return false;
    }
    return true;
  }
  for (let at = firstAbove(node.bounds, from); at < node.children.length; at += 1)
    if (!scanNode(child(node, at), from, to, visit)) return false;
  return true;
}

/** The first position whose key is not below `key`. */
function firstAtOrAbove(keys: readonly ByteString[], key: ByteString): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as ByteString) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first position whose key is above `key`. */
function firstAbove(keys: readonly ByteString[], key: ByteString): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as ByteString) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
