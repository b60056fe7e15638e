import type { Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { XenstoreClient } from '../../client/client.ts';
import type { ClientFailure } from '../../client/failure.ts';
import type { TreeNode } from '../../client/tree.ts';
import type { Path } from '../../core/path.ts';

/** A xenstore, as the calls over gRPC reach it: as domain 0, in this process or elsewhere. */
export interface Xenstore {
  /** The client that all calls share, connected anew where its connection was lost. */
  client(): Promise<Result<XenstoreClient, ClientFailure>>;
  /** Whether it is told how deep a watch goes; if not, it tells of all that is below. */
  readonly watchesByDepth: boolean;
  /** A node and all below it as they are at one moment, parents before their children. */
  tree(path: Path, levels: number | undefined): Promise<Result<Iterable<TreeNode>, Failure>>;
  close(): void;
}
