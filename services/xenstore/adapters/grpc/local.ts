import { fail, ok } from '../../../../base/result.ts';
import type { Transport } from '../../client/link.ts';
import { inProcess } from '../../client/transports/in-process.ts';
import type { TreeNode } from '../../client/tree.ts';
import { formatPath, type Path } from '../../core/path.ts';
import { controlDomain } from '../../core/permissions.ts';
import { type Node, nodeAt } from '../../core/tree.ts';
import type { Packet } from '../../core/wire.ts';
import type { Daemon } from '../daemon.ts';
import { failureOf } from './failures.ts';
import { SharedClient } from './shared-client.ts';
import type { Xenstore } from './xenstore.ts';

/** The xenstore that a daemon in this process keeps. */
export function localXenstore(daemon: Daemon): Xenstore {
  const shared = new SharedClient(toDaemon(daemon));
  return {
    client: () => shared.get(),
    watchesByDepth: true,
    // The tree is immutable: it stays that of this moment, however long it takes to be read.
    tree: async (path, levels) => {
      const node = nodeAt(daemon.top, path);
      return node === undefined
        ? fail(failureOf('ENOENT', formatPath(path)))
        : ok(nodesOf(path, node, levels));
    },
    close: () => shared.close(),
  };
}

/** Reaches the daemon as a client of domain 0. What replies tell of is in the journal when they arrive. */
function toDaemon(daemon: Daemon): Transport {
  return inProcess((peer) => {
    let sent: Packet[] = [];
    const deliver = () => {
      const packets = sent;
      sent = [];
      attached.leaving();
      for (const packet of packets) peer.send(packet);
    };
    const attached = daemon.attach(controlDomain, {
      send: (packet) => {
        if (sent.length === 0) queueMicrotask(deliver);
        sent.push(packet);
      },
      close: () => peer.close(),
    });
    return attached;
  });
}

/** Parents before their children, and these in the order in which they were made. */
function* nodesOf(path: Path, node: Node, levels: number | undefined): Generator<TreeNode> {
  const end = levels === undefined ? Number.POSITIVE_INFINITY : path.length + levels;
  const rest: { readonly path: Path; readonly node: Node }[] = [{ path, node }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { value, permissions, children } = next.node;
    yield { path: formatPath(next.path), value, permissions };
    if (next.path.length >= end) continue;
    for (const name of children.names().toReversed()) {
      const child = children.get(name);
      if (child !== undefined) rest.push({ path: [...next.path, name], node: child });
    }
  }
}
