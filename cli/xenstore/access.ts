import type { Result } from '../../base/result.ts';
import type { Permissions, TreeNode } from '../../services/xenstore/client/index.ts';
import type { Problem } from '../problem.ts';

/** What can be done to nodes, in a transaction or outside of one. */
export interface Nodes {
  read(path: string): Promise<Result<Uint8Array, Problem>>;
  /** Makes the node, and its parents, where they are missing. */
  write(path: string, value: Uint8Array): Promise<Result<void, Problem>>;
  /** Leaves what is there. */
  mkdir(path: string): Promise<Result<void, Problem>>;
  /** With all below it. A missing node is no failure, a missing parent is. */
  remove(path: string): Promise<Result<void, Problem>>;
  /** All of them, in the order in which they were made. */
  list(path: string): Promise<Result<readonly string[], Problem>>;
  permissions(path: string): Promise<Result<Permissions, Problem>>;
  setPermissions(path: string, permissions: Permissions): Promise<Result<void, Problem>>;
}

/** What a watch tells. */
export type WatchNews =
  | { readonly kind: 'changed'; readonly path: string }
  /** Events were lost: what is known of the watched path has to be read again. */
  | { readonly kind: 'missed' };

/** A xenstore, however it is reached. */
export interface Xenstore extends Nodes {
  /** All that the body does, or nothing: it runs again where others have changed what it had read. */
  transaction<Value>(
    body: (nodes: Nodes) => Promise<Result<Value, Problem>>,
  ): Promise<Result<Value, Problem>>;
  /** All nodes below a path, or so many levels of them, parents before their children. */
  tree(path: string, levels: number | undefined): Promise<Result<readonly TreeNode[], Problem>>;
  /**
   * Calls `onNews` for each event, the first one at once, until it says that it was the last one or
   * `signal` aborts.
   */
  watch(
    path: string,
    levels: number | undefined,
    onNews: (news: WatchNews) => 'go on' | 'stop',
    signal: AbortSignal,
  ): Promise<Result<void, Problem>>;
  /** A command to the daemon; its answer is text for people. */
  control(words: readonly [string, ...string[]]): Promise<Result<string, Problem>>;
}
