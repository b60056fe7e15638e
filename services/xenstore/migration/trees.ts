import type { Path } from '../core/path.ts';
import { formatPath, rootPath } from '../core/path.ts';
import type { DomainId, Permissions } from '../core/permissions.ts';
import { assembled, type Generation, type Node } from '../core/tree.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { readPermissions, writePermission } from './records.ts';

/** Trees: what NODE_DATA has no field for, and what differs between one tree and another. */

/** No path has more components: the longest one has 3072 bytes. */
const depthMax = 1600;

/** A node and its place. */
export interface Placed {
  readonly path: Path;
  readonly node: Node;
}

/** Every node below the top above `/`, parents first, children in the order of their list. */
export function* nodesOf(top: Node): Generator<Placed> {
  const rest: Placed[] = [];
  const push = (parent: Path, node: Node) => {
    for (const name of node.children.names().toReversed()) {
      const child = node.children.get(name);
      if (child !== undefined) rest.push({ path: [...parent, name], node: child });
    }
  };
  push([], top);
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    yield next;
    push(next.path, next.node);
  }
}

/** What NODE_DATA has no field for. */
export interface NodeMarks {
  readonly contentGeneration: Generation;
  readonly childrenGeneration: Generation;
  readonly changedBy: DomainId;
  readonly owner: number;
  readonly mentions: number;
}

export function writeMarks(writer: ByteWriter, marks: NodeMarks): void {
  writer.count(marks.contentGeneration);
  writer.count(marks.childrenGeneration);
  writer.u16(marks.changedBy);
  writer.i32(marks.owner);
  writer.i32(marks.mentions);
}

export function readMarks(reader: ByteReader): NodeMarks {
  const [contentGeneration, childrenGeneration] = [reader.count(), reader.count()];
  const changedBy = reader.u16() as DomainId;
  return {
    contentGeneration,
    childrenGeneration,
    changedBy,
    owner: reader.i32(),
    mentions: reader.i32(),
  };
}

/** A node whose children are being read. */
interface Draft {
  readonly name: string;
  readonly value: Uint8Array;
  readonly permissions: Permissions;
  readonly marks: NodeMarks | null;
  readonly children: Map<string, Draft>;
}

/** Makes a tree of nodes that come one after another, parents first. */
export class TreeDraft {
  readonly #top: Draft;

  constructor(permissions: Permissions, marks: NodeMarks | null) {
    const value = new Uint8Array(0);
    this.#top = { name: '', value, permissions, marks, children: new Map() };
  }

  /** False where the node has no parent yet, or is there already. */
  add(path: Path, value: Uint8Array, permissions: Permissions, marks: NodeMarks | null): boolean {
    let parent = this.#top;
    for (const name of path.slice(0, -1)) {
      const next = parent.children.get(name);
      if (next === undefined) return false;
      parent = next;
    }
    const name = path.at(-1) ?? '';
    if (parent.children.has(name)) return false;
    parent.children.set(name, { name, value, permissions, marks, children: new Map() });
    return true;
  }

  /** The tree of what was added; `marks` are those of nodes that came without. */
  finish(marks: Omit<NodeMarks, 'owner' | 'mentions'>): Node {
    const order = [this.#top];
    for (let index = 0; index < order.length; index += 1)
      order.push(...(order[index]?.children.values() ?? []));
    const made = new Map<Draft, Node>();
    for (const draft of order.toReversed()) {
      const children = [...draft.children.values()].flatMap((child) => {
        const node = made.get(child);
        return node === undefined ? [] : [[child.name, node] as const];
      });
      const { owner, mentions, ...generations } = { ...marks, ...draft.marks };
      const known = owner === undefined || mentions === undefined ? null : { owner, mentions };
      const { name, value, permissions } = draft;
      made.set(draft, assembled({ name, value, permissions, ...generations, children, known }));
    }
    const top = made.get(this.#top);
    if (top === undefined) throw new RangeError('a tree has its top');
    return top;
  }
}

const sameTag = 0;
const otherTag = 1;

/** Writes a tree as what differs from another: what is the very same there costs a byte. */
export function writeDifference(writer: ByteWriter, node: Node, base: Node | undefined): void {
  if (node === base) {
    writer.u8(sameTag);
    return;
  }
  writer.u8(otherTag);
  writeMarks(writer, node);
  writer.u16(node.permissions.length);
  for (const entry of node.permissions) writePermission(writer, entry);
  writer.count(node.value.length);
  writer.bytes(node.value);
  const names = node.children.names();
  writer.count(names.length);
  for (const name of names) {
    const child = node.children.get(name);
    if (child === undefined) continue;
    writer.count(name.length);
    writer.text(name);
    writeDifference(writer, child, base?.children.get(name));
  }
}

/** Reads what `writeDifference` has written against the same base; null where the reader broke. */
export function readDifference(
  reader: ByteReader,
  name: string,
  base: Node | undefined,
  depth = 0,
): Node | null {
  const tag = reader.u8();
  if (tag === sameTag && base !== undefined && !reader.broken) return base;
  if (tag !== otherTag || depth > depthMax) reader.fail();
  const { owner, mentions, ...generations } = readMarks(reader);
  const permissions = readPermissions(reader, reader.u16());
  const value = reader.bytes(reader.count()).slice();
  const count = reader.count();
  const children: (readonly [string, Node])[] = [];
  for (let index = 0; index < count && !reader.broken; index += 1) {
    const each = reader.text(reader.count());
    const child = readDifference(reader, each, base?.children.get(each), depth + 1);
    if (child !== null) children.push([each, child]);
  }
  if (permissions === null) reader.fail();
  if (reader.broken || permissions === null) return null;
  const known = { owner, mentions };
  return assembled({ name, value, permissions, ...generations, children, known });
}

/** A path as the stream has it; it is one that `parsePath` or `parseWatchable` would read. */
export function textOfPath(path: Path): string {
  return formatPath(path);
}

/** The inverse; null for a text that is no place of a node. */
export function pathOfText(text: string): Path | null {
  if (text === '/') return rootPath;
  if (!/^(?:\/[-\w@]+)+$|^@[-\w@]+(?:\/[-\w@]+)*$/.test(text) || text.length > 3072) return null;
  return text.split('/');
}
