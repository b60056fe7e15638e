import { present } from '../../../base/assert.ts';

/**
 * A persistent map from names to values that remembers the order in which names were added: a hash
 * array mapped trie (Bagwell, "Ideal Hash Trees", 2001) whose leaves carry a sequence number. Every
 * change shares all but a path of about log32(n) small arrays with the map it came from, so that a
 * transaction's snapshot costs nothing.
 */

interface Leaf<Value> {
  readonly kind: 'leaf';
  readonly hash: number;
  readonly name: string;
  readonly value: Value;
  readonly sequence: number;
}

/** Leaves whose 32-bit hashes are equal. */
interface Collision<Value> {
  readonly kind: 'collision';
  readonly hash: number;
  readonly leaves: readonly Leaf<Value>[];
}

/** Bit i of `bitmap` is set where a slot for the hash's next five bits being i is present. */
interface Branch<Value> {
  readonly kind: 'branch';
  readonly bitmap: number;
  readonly slots: readonly Slot<Value>[];
}

type Slot<Value> = Leaf<Value> | Collision<Value> | Branch<Value>;

const bitsPerLevel = 5;
const levelMask = 31;

/** FNV-1a over UTF-16 code units. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function bitCount(bitmap: number): number {
  let count = bitmap - ((bitmap >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function bitOf(hash: number, shift: number): number {
  return 1 << ((hash >>> shift) & levelMask);
}

function find<Value>(
  root: Slot<Value> | null,
  hash: number,
  name: string,
): Leaf<Value> | undefined {
  let slot = root;
  for (let shift = 0; slot !== null; shift += bitsPerLevel) {
    if (slot.kind === 'leaf') return slot.name === name ? slot : undefined;
    if (slot.kind === 'collision') return slot.leaves.find((leaf) => leaf.name === name);
    const bit = bitOf(hash, shift);
    if ((slot.bitmap & bit) === 0) return undefined;
    slot = slot.slots[bitCount(slot.bitmap & (bit - 1))] ?? null;
  }
  return undefined;
}

/** Two slots of different hashes, or of different names, below one branch. */
function join<Value>(
  one: Leaf<Value> | Collision<Value>,
  other: Leaf<Value>,
  shift: number,
): Slot<Value> {
  if (one.hash === other.hash) {
    const leaves = one.kind === 'leaf' ? [one] : one.leaves;
    return { kind: 'collision', hash: one.hash, leaves: [...leaves, other] };
  }
  const first = bitOf(one.hash, shift);
  const second = bitOf(other.hash, shift);
  if (first === second)
    return { kind: 'branch', bitmap: first, slots: [join(one, other, shift + bitsPerLevel)] };
  const ordered = first >>> 0 < second >>> 0 ? [one, other] : [other, one];
  return { kind: 'branch', bitmap: first | second, slots: ordered };
}

/** As `Array.prototype.with`, which takes V8 four times as long. */
function withAt<Item>(items: readonly Item[], index: number, item: Item): Item[] {
  const copy = items.slice();
  copy[index] = item;
  return copy;
}

function branch<Value>(bitmap: number, slots: readonly Slot<Value>[]): Branch<Value> {
  return { kind: 'branch', bitmap, slots };
}

/** The slot with one more leaf, whose name is not in it. */
function insert<Value>(slot: Slot<Value> | null, leaf: Leaf<Value>, shift: number): Slot<Value> {
  if (slot === null) return leaf;
  if (slot.kind !== 'branch') return join(slot, leaf, shift);
  const bit = bitOf(leaf.hash, shift);
  const index = bitCount(slot.bitmap & (bit - 1));
  if ((slot.bitmap & bit) === 0)
    return branch(slot.bitmap | bit, slot.slots.toSpliced(index, 0, leaf));
  const inner = insert(slot.slots[index] ?? null, leaf, shift + bitsPerLevel);
  return branch(slot.bitmap, withAt(slot.slots, index, inner));
}

/** The slot with another value for a name that is in it. Its leaf keeps its place in the order. */
function revalue<Value>(
  slot: Slot<Value>,
  hash: number,
  name: string,
  value: Value,
  shift: number,
): Slot<Value> {
  switch (slot.kind) {
    case 'leaf':
      return { kind: 'leaf', hash, name, value, sequence: slot.sequence };
    case 'collision': {
      const index = slot.leaves.findIndex((leaf) => leaf.name === name);
      const old = present(slot.leaves[index], 'a name that is replaced is there');
      return { ...slot, leaves: withAt(slot.leaves, index, { ...old, value }) };
    }
    case 'branch': {
      const index = bitCount(slot.bitmap & (bitOf(hash, shift) - 1));
      const old = present(slot.slots[index], 'a name that is replaced is there');
      const inner = revalue(old, hash, name, value, shift + bitsPerLevel);
      return branch(slot.bitmap, withAt(slot.slots, index, inner));
    }
  }
}

function remove<Value>(
  slot: Slot<Value>,
  hash: number,
  name: string,
  shift: number,
): Slot<Value> | null {
  switch (slot.kind) {
    case 'leaf':
      return slot.name === name ? null : slot;
    case 'collision': {
      const leaves = slot.leaves.filter((leaf) => leaf.name !== name);
      return leaves.length === 1 ? (leaves[0] ?? null) : { ...slot, leaves };
    }
    case 'branch': {
      const bit = bitOf(hash, shift);
      if ((slot.bitmap & bit) === 0) return slot;
      const index = bitCount(slot.bitmap & (bit - 1));
      const old = slot.slots[index];
      if (old === undefined) return slot;
      const inner = remove(old, hash, name, shift + bitsPerLevel);
      if (inner === old) return slot;
      if (inner !== null) return branch(slot.bitmap, withAt(slot.slots, index, inner));
      const bitmap = slot.bitmap & ~bit;
      return bitmap === 0 ? null : branch(bitmap, slot.slots.toSpliced(index, 1));
    }
  }
}

/** The leaves of a map, in no particular order. Its depth is that of a 32-bit hash, whatever is in it. */
function collect<Value>(slot: Slot<Value> | null, into: Leaf<Value>[]): Leaf<Value>[] {
  if (slot === null) return into;
  if (slot.kind === 'leaf') into.push(slot);
  else if (slot.kind === 'collision') into.push(...slot.leaves);
  else for (const each of slot.slots) collect(each, into);
  return into;
}

function visitAll<Value>(
  slot: Slot<Value> | null,
  visit: (value: Value, name: string) => void,
): void {
  if (slot === null) return;
  if (slot.kind === 'leaf') visit(slot.value, slot.name);
  else if (slot.kind === 'collision') for (const leaf of slot.leaves) visit(leaf.value, leaf.name);
  else for (const each of slot.slots) visitAll(each, visit);
}

/** The names of one map, and of those that were made from it by adding to it: each knows its part. */
interface Listed {
  readonly all: string[];
  readonly count: number;
}

/** See the head of this file. */
export class Children<Value> {
  /** How many names there are. */
  readonly size: number;
  /** Bytes that the names take, each followed by a NUL. */
  readonly nameBytes: number;
  readonly #root: Slot<Value> | null;
  readonly #nextSequence: number;
  #listed: Listed | null;

  private constructor(
    root: Slot<Value> | null,
    size: number,
    nameBytes: number,
    nextSequence: number,
    listed: Listed | null,
  ) {
    this.#root = root;
    this.size = size;
    this.nameBytes = nameBytes;
    this.#nextSequence = nextSequence;
    this.#listed = listed;
  }

  static empty<Value>(): Children<Value> {
    return new Children<Value>(null, 0, 0, 0, null);
  }

  get(name: string): Value | undefined {
    return find(this.#root, hashOf(name), name)?.value;
  }

  /** A name that is there keeps its place in the order. */
  with(name: string, value: Value): Children<Value> {
    const hash = hashOf(name);
    if (find(this.#root, hash, name) !== undefined) return this.replacing(name, value);
    const sequence = this.#nextSequence;
    return new Children(
      insert(this.#root, { kind: 'leaf', hash, name, value, sequence }, 0),
      this.size + 1,
      this.nameBytes + name.length + 1,
      sequence + 1,
      this.#listedWith(name),
    );
  }

  /** As `with`, for a name that is known to be there. */
  replacing(name: string, value: Value): Children<Value> {
    const root = present(this.#root, 'a name that is replaced is there');
    return new Children(
      revalue(root, hashOf(name), name, value, 0),
      this.size,
      this.nameBytes,
      this.#nextSequence,
      this.#listed,
    );
  }

  without(name: string): Children<Value> {
    const hash = hashOf(name);
    if (this.#root === null || find(this.#root, hash, name) === undefined) return this;
    return new Children(
      remove(this.#root, hash, name, 0),
      this.size - 1,
      this.nameBytes - name.length - 1,
      this.#nextSequence,
      null,
    );
  }

  /** The names in the order in which they were added; to be read before anything is added. */
  names(): readonly string[] {
    if (this.#listed === null) {
      const leaves = collect(this.#root, []).sort((one, other) => one.sequence - other.sequence);
      this.#listed = { all: leaves.map((leaf) => leaf.name), count: leaves.length };
    }
    const { all, count } = this.#listed;
    return all.length === count ? all : all.slice(0, count);
  }

  /** Calls `visit` for every child, in no particular order. */
  forEach(visit: (value: Value, name: string) => void): void {
    visitAll(this.#root, visit);
  }

  /** The list with one more name. Only the newest map of a line may add to what they share. */
  #listedWith(name: string): Listed | null {
    if (this.#listed === null || this.#listed.all.length !== this.#listed.count) return null;
    const { all, count } = this.#listed;
    all.push(name);
    return { all, count: count + 1 };
  }
}
