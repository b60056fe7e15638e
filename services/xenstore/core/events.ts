import type { Change } from './change.ts';
import { formatPath, type Path, type SpecialPath } from './path.ts';
import { allows, type DomainId } from './permissions.ts';
import { type Node, nodeAt } from './tree.ts';
import type { Watch, WatchTrie } from './watches.ts';

/** Sends a watch its event; the path is absolute. */
export type Send = (watch: Watch, path: string) => void;

/** A node that changed, whose watchers are to be told. */
interface Touched {
  readonly path: Path;
  readonly removed: boolean;
}

/**
 * Tells of changes that were made together: once for each path, in the order in which the paths were
 * first changed.
 */
export function fireChanges(
  watches: WatchTrie,
  changes: readonly Change[],
  before: Node,
  after: Node,
  send: Send,
): void {
  if (watches.size === 0 || changes.length === 0) return;
  const [only] = changes;
  if (changes.length === 1 && only !== undefined) {
    fire(watches, { path: only.path, removed: only.kind === 'remove' }, before, after, send);
    return;
  }
  const touched = new Map<string, Touched>();
  for (const { kind, path } of changes) {
    const text = formatPath(path);
    const removed = kind === 'remove' || touched.get(text)?.removed === true;
    touched.set(text, { path, removed });
  }
  for (const each of touched.values()) {
    const { path } = each;
    // What was made and removed in one transaction was never there.
    if (nodeAt(after, path) === undefined && nodeAt(before, path) === undefined) continue;
    fire(watches, each, before, after, send);
  }
}

/**
 * A special event is fired by what it is about, and not by its permissions. Of nodes, tells those who
 * may read the node, as it is or as it was, or its parent (XSA-115). Whoever watches
 * something below a removed node is told of it under the watched path.
 */
function fire(
  watches: WatchTrie,
  { path, removed }: Touched,
  before: Node,
  after: Node,
  send: Send,
): void {
  if (path[0] !== '') return;
  const text = formatPath(path);
  const parent = path.slice(0, -1);
  watches.above(path, (watch) => {
    const { domain } = watch.connection;
    const readable = (top: Node, at: Path): boolean => {
      const node = nodeAt(top, at);
      return node !== undefined && allows(node.permissions, domain, 'read');
    };
    if (
      domain.privileged ||
      readable(after, path) ||
      readable(before, path) ||
      (path.length > 1 && (readable(after, parent) || readable(before, parent)))
    )
      send(watch, text);
  });
  const old = removed ? nodeAt(before, path) : undefined;
  if (old === undefined) return;
  watches.below(path, old, (watch, node, above) => {
    const { domain } = watch.connection;
    if (allows(node.permissions, domain, 'read') || allows(above.permissions, domain, 'read'))
      send(watch, formatPath(watch.path));
  });
}

/** A domain came, went or shut down. */
export interface Special {
  readonly event: SpecialPath;
  readonly domain: DomainId;
  /** The tree at that moment: who might read the event then is told. */
  readonly top: Node;
}

/**
 * Tells of a domain that came or went: watches without a depth get the event's name, those with a
 * depth of 1 or more and those of this very domain get it with the domain's id.
 */
export function fireSpecial(watches: WatchTrie, { event, domain, top }: Special, send: Send): void {
  const node = nodeAt(top, [event]);
  const allowed = (watch: Watch): boolean =>
    node !== undefined && allows(node.permissions, watch.connection.domain, 'read');
  const withDomain = `${event}/${domain}`;
  watches.at([event], (watch) => {
    if (!allowed(watch)) return;
    if (watch.depth === null) send(watch, event);
    else if (watch.depth > 0) send(watch, withDomain);
  });
  watches.at([event, String(domain)], (watch) => {
    if (allowed(watch)) send(watch, withDomain);
  });
}
