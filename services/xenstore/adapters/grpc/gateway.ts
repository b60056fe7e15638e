import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { ClientFailure } from '../../client/failure.ts';
import type { Transport } from '../../client/link.ts';
import type { ClientOptions } from '../../client/options.ts';
import { readTree, type TreeNode } from '../../client/tree.ts';
import { formatPath } from '../../core/path.ts';
import { clientFailure } from './failures.ts';
import { Places } from './places.ts';
import { SharedClient } from './shared-client.ts';
import type { Xenstore } from './xenstore.ts';

/** Nodes of a tree that is read: they are all kept, and asked for in one transaction. */
const nodesMax = 30_000;

/** Trees that are read at once. */
const treesMax = 4;

/**
 * A xenstore that another process or domain keeps. Through the kernel a watch has no depth (Linux's
 * xenbus_write_watch), and of old daemons none has.
 */
export function gatewayTo(transport: Transport, options: Partial<ClientOptions> = {}): Xenstore {
  const shared = new SharedClient(transport, options);
  const trees = new Places(treesMax, treesMax);
  return {
    client: () => shared.get(),
    watchesByDepth: false,
    tree: async (path, levels) => {
      if (!trees.take(null)) return fail(tooManyTrees);
      const text = formatPath(path);
      const read = await readAtOnce(shared, text, levels);
      trees.leave(null);
      if (read.ok) return read;
      return fail(read.error.code === 'E2BIG' ? tooLarge(text) : clientFailure(read.error, text));
    },
    close: () => shared.close(),
  };
}

/** A tree of one moment: that of a transaction, which is over before anything is passed on. */
async function readAtOnce(
  shared: SharedClient,
  path: string,
  levels: number | undefined,
): Promise<Result<readonly TreeNode[], ClientFailure>> {
  const client = await shared.get();
  if (!client.ok) return client;
  const transaction = await client.value.begin();
  if (!transaction.ok) return transaction;
  const read = await readTree(transaction.value, path, { depth: levels, nodesMax });
  const ended = await transaction.value.end(false);
  if (!read.ok) return read;
  return ended.ok ? ok(read.value) : ended;
}

const tooManyTrees: Failure = {
  reason: 'LIMIT',
  message: `${treesMax} trees are being read`,
  remedy: 'Try again later, or read nodes one by one.',
};

function tooLarge(path: string): Failure {
  return {
    reason: 'LIMIT',
    message: `the tree has more than ${nodesMax} nodes`,
    remedy: 'Read its parts one by one, or fewer levels of it.',
    resource: { type: 'node', name: path },
  };
}
