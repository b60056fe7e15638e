/**
 * xenstore as SPEC.md describes it, in the most simple way: nodes by their whole path, copied for each
 * transaction; watches in a list. No quotas: those have tests of their own.
 */

interface NaiveNode {
  value: string;
  /** `r0`, `n7`: the first is the owner's. */
  permissions: readonly string[];
  /** Places it among its siblings. */
  readonly made: number;
  /** When value or permissions were set. */
  content: number;
  /** When a child came or went. */
  list: number;
}

type Nodes = Map<string, NaiveNode>;
type Aspect = 'value' | 'permissions' | 'list';

/** What a request changes. */
export interface NaiveChange {
  readonly kind: 'WRITE' | 'MKDIR' | 'RM' | 'SET_PERMS';
  readonly path: string;
  readonly value: string;
  readonly permissions: readonly string[];
}

interface NaiveTransaction {
  readonly owner: number;
  readonly base: Nodes;
  nodes: Nodes;
  readonly reads: { readonly path: string; readonly aspect: Aspect; readonly seen: number }[];
  readonly set: Set<string>;
  readonly changes: NaiveChange[];
  doomed: boolean;
}

interface NaiveWatch {
  readonly connection: number;
  readonly path: string;
  readonly token: string;
  readonly depth: number;
}

/** An error's name. */
class Refusal extends Error {}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function isBelow(path: string, above: string): boolean {
  return path !== above && (above === '/' || path.startsWith(`${above}/`));
}

function levels(path: string): number {
  return path === '/' ? 0 : path.split('/').length - 1;
}

function copyOf(nodes: Nodes): Nodes {
  return new Map([...nodes].map(([path, node]) => [path, { ...node }]));
}

/** See the head of this file. */
export class NaiveXenstore {
  #nodes: Nodes = new Map();
  #clock = 0;
  #nextTransaction = 1;
  #watches: NaiveWatch[] = [];
  readonly #transactions = new Map<number, NaiveTransaction>();
  #events: string[] = [];

  constructor() {
    for (const path of ['/', '/tool', '/tool/xenstored'])
      this.#nodes.set(path, { ...this.#fresh(['n0']), value: '' });
  }

  /** What was fired by the last call: domain, path and token each. */
  get events(): readonly string[] {
    return this.#events;
  }

  read(domain: number, kind: 'READ' | 'GET_PERMS' | 'DIRECTORY', path: string, id: number): string {
    return this.#answer(() => {
      const transaction = this.#transaction(domain, id);
      const nodes = transaction?.nodes ?? this.#nodes;
      const aspect = kind === 'READ' ? 'value' : kind === 'GET_PERMS' ? 'permissions' : 'list';
      if (transaction !== undefined) this.#remember(transaction, path, aspect);
      const node = nodes.get(path);
      if (node === undefined) throw new Refusal(this.#missing(nodes, path, domain, 'r'));
      this.#need(node, domain, 'r');
      if (kind === 'READ') return node.value;
      return (kind === 'GET_PERMS' ? node.permissions : this.#children(nodes, path))
        .map((each) => `${each}|`)
        .join('');
    });
  }

  change(domain: number, change: NaiveChange, id: number): string {
    return this.#answer(() => {
      const transaction = this.#transaction(domain, id);
      if (transaction === undefined) {
        const before = copyOf(this.#nodes);
        if (this.#apply(this.#nodes, change, domain)) this.#fire([change], before, this.#nodes);
        return 'OK|';
      }
      this.#apply(transaction.nodes, change, domain);
      transaction.changes.push(change);
      if (change.kind === 'WRITE') transaction.set.add(`value ${change.path}`);
      if (change.kind === 'SET_PERMS') transaction.set.add(`permissions ${change.path}`);
      return 'OK|';
    });
  }

  begin(domain: number): string {
    return this.#answer(() => {
      const id = this.#nextTransaction++;
      this.#transactions.set(id, {
        owner: domain,
        base: copyOf(this.#nodes),
        nodes: copyOf(this.#nodes),
        reads: [],
        set: new Set(),
        changes: [],
        doomed: false,
      });
      return `${id}|`;
    });
  }

  end(domain: number, id: number, commit: boolean): string {
    return this.#answer(() => {
      const transaction = this.#transaction(domain, id);
      if (transaction === undefined) throw new Refusal('ENOENT');
      this.#transactions.delete(id);
      if (!commit) return 'OK|';
      if (transaction.doomed) throw new Refusal('EAGAIN');
      for (const { path, aspect, seen } of transaction.reads)
        if (this.#seen(this.#nodes, path, aspect) !== seen) throw new Refusal('EAGAIN');
      const before = copyOf(this.#nodes);
      const after = copyOf(this.#nodes);
      const effective: NaiveChange[] = [];
      try {
        for (const change of transaction.changes)
          if (this.#apply(after, change, domain)) effective.push(change);
      } catch {
        throw new Refusal('EAGAIN');
      }
      this.#nodes = after;
      this.#fire(effective, before, after);
      return 'OK|';
    });
  }

  watch(connection: number, path: string, token: string, depth: number): string {
    return this.#answer(() => {
      const same = (each: NaiveWatch) =>
        each.connection === connection && each.path === path && each.token === token;
      if (this.#watches.some(same)) throw new Refusal('EEXIST');
      this.#watches.push({ connection, path, token, depth });
      this.#events.push(`${connection} ${path} ${token}`);
      return 'OK|';
    });
  }

  unwatch(connection: number, path: string, token: string): string {
    return this.#answer(() => {
      const at = this.#watches.findIndex(
        (each) => each.connection === connection && each.path === path && each.token === token,
      );
      if (at < 0) throw new Refusal('ENOENT');
      this.#watches.splice(at, 1);
      return 'OK|';
    });
  }

  /** A domain dies, and is there again at once, with nothing. */
  die(domain: number): void {
    this.#events = [];
    this.#watches = this.#watches.filter((each) => each.connection !== domain);
    for (const [id, each] of this.#transactions) {
      if (each.owner === domain) this.#transactions.delete(id);
      const names = (permission: string) => permission.slice(1) === String(domain);
      if (
        each.changes.some(
          ({ kind, permissions }) => kind === 'SET_PERMS' && permissions.some(names),
        )
      )
        each.doomed = true;
    }
    const before = copyOf(this.#nodes);
    const removed: NaiveChange[] = [];
    for (const [path, node] of [...this.#nodes].sort(
      ([one], [other]) => levels(one) - levels(other),
    )) {
      if (!this.#nodes.has(path)) continue;
      const [owner = '', ...others] = node.permissions;
      if (owner.slice(1) === String(domain) && path !== '/') {
        const change: NaiveChange = { kind: 'RM', path, value: '', permissions: [] };
        this.#apply(this.#nodes, change, 0);
        removed.push(change);
        continue;
      }
      const left = [
        owner.slice(1) === String(domain) ? 'n0' : owner,
        ...others.filter((each) => each.slice(1) !== String(domain)),
      ];
      if (left.join() === node.permissions.join()) continue;
      node.permissions = left;
      node.content = ++this.#clock;
    }
    this.#fire(removed, before, this.#nodes);
  }

  #answer(work: () => string): string {
    this.#events = [];
    try {
      return work();
    } catch (error) {
      if (error instanceof Refusal) return `!${error.message}|`;
      throw error;
    }
  }

  #fresh(permissions: readonly string[]): NaiveNode {
    const now = ++this.#clock;
    return { value: '', permissions, made: now, content: now, list: now };
  }

  #transaction(domain: number, id: number): NaiveTransaction | undefined {
    if (id === 0) return undefined;
    const transaction = this.#transactions.get(id);
    if (transaction?.owner !== domain) throw new Refusal('ENOENT');
    return transaction;
  }

  #children(nodes: Nodes, path: string): readonly string[] {
    return [...nodes]
      .filter(([each]) => each !== '/' && parentOf(each) === path)
      .sort(([, one], [, other]) => one.made - other.made)
      .map(([each]) => each.slice(each.lastIndexOf('/') + 1));
  }

  #allows({ permissions }: NaiveNode, domain: number, access: 'r' | 'w'): boolean {
    const [owner = ''] = permissions;
    if (domain === 0 || owner.slice(1) === String(domain)) return true;
    const entry = permissions.slice(1).find((each) => each.slice(1) === String(domain)) ?? owner;
    return entry.startsWith(access) || entry.startsWith('b');
  }

  #need(node: NaiveNode, domain: number, access: 'r' | 'w'): void {
    if (!this.#allows(node, domain, access)) throw new Refusal('EACCES');
  }

  #nearest(nodes: Nodes, path: string): string {
    let nearest = path;
    while (!nodes.has(nearest)) nearest = parentOf(nearest);
    return nearest;
  }

  #missing(nodes: Nodes, path: string, domain: number, access: 'r' | 'w'): string {
    const node = nodes.get(this.#nearest(nodes, path));
    return node !== undefined && this.#allows(node, domain, access) ? 'ENOENT' : 'EACCES';
  }

  #seen(nodes: Nodes, path: string, aspect: Aspect): number {
    const node = nodes.get(path);
    return node === undefined ? -1 : aspect === 'list' ? node.list : node.content;
  }

  #remember(transaction: NaiveTransaction, path: string, aspect: Aspect): void {
    const { base, nodes, reads, set } = transaction;
    const was = base.has(path);
    const is = nodes.has(path);
    if (was ? !is || set.has(`${aspect} ${path}`) : is) return;
    reads.push({ path, aspect, seen: this.#seen(base, path, aspect) });
  }

  /** Makes a change, or throws; false where there was nothing to do. */
  #apply(nodes: Nodes, { kind, path, value, permissions }: NaiveChange, domain: number): boolean {
    const node = nodes.get(path);
    const nearest = this.#nearest(nodes, path);
    const near = nodes.get(nearest);
    if (near === undefined) throw new Error('there is always a root');
    if (kind === 'SET_PERMS') {
      if (node === undefined) throw new Refusal(this.#missing(nodes, path, domain, 'w'));
      const owner = node.permissions[0]?.slice(1);
      if (domain !== 0 && owner !== String(domain)) throw new Refusal('EACCES');
      if (domain !== 0 && permissions[0]?.slice(1) !== owner) throw new Refusal('EPERM');
      node.permissions = permissions;
      node.content = ++this.#clock;
      return true;
    }
    this.#need(near, domain, 'w');
    if (kind === 'RM') {
      if (node === undefined) {
        if (nearest !== parentOf(path)) throw new Refusal('ENOENT');
        return false;
      }
      if (path === '/') throw new Refusal('EINVAL');
      for (const each of [...nodes.keys()])
        if (each === path || isBelow(each, path)) nodes.delete(each);
      const parent = nodes.get(parentOf(path));
      if (parent !== undefined) parent.list = ++this.#clock;
      return true;
    }
    if (node !== undefined) {
      if (kind === 'MKDIR') return false;
      node.value = value;
      node.content = ++this.#clock;
      return true;
    }
    const [first = '', ...others] = near.permissions;
    const inherited = [domain === 0 ? first : `${first.charAt(0)}${domain}`, ...others];
    near.list = ++this.#clock;
    const names = path.slice(nearest === '/' ? 1 : nearest.length + 1).split('/');
    let at = nearest === '/' ? '' : nearest;
    for (const name of names) {
      at = `${at}/${name}`;
      nodes.set(at, this.#fresh(inherited));
    }
    const made = nodes.get(path);
    if (made !== undefined && kind === 'WRITE') made.value = value;
    return true;
  }

  #fire(changes: readonly NaiveChange[], before: Nodes, after: Nodes): void {
    const removed = new Map<string, boolean>();
    for (const { path, kind } of changes)
      removed.set(path, removed.get(path) === true || kind === 'RM');
    for (const [path, gone] of [...removed].filter(([each]) => before.has(each) || after.has(each)))
      for (const { connection, path: watched, token, depth } of this.#watches) {
        const hears = (at: string, trees: readonly Nodes[]) =>
          trees.some((nodes) =>
            [at, parentOf(at)].some((each) => {
              const node = nodes.get(each);
              return node !== undefined && this.#allows(node, connection, 'r');
            }),
          );
        if (watched === path || isBelow(path, watched)) {
          if (levels(path) - levels(watched) <= depth && hears(path, [before, after]))
            this.#events.push(`${connection} ${path} ${token}`);
        } else if (gone && isBelow(watched, path) && before.has(watched))
          if (hears(watched, [before])) this.#events.push(`${connection} ${watched} ${token}`);
      }
  }
}
