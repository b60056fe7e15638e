import { firstOf, type Transport } from './link.ts';
import { kernelDevice } from './transports/device.ts';
import { socketPath, unixSocket } from './transports/unix-socket.ts';

export {
  anyDomain,
  type DomainId,
  formatPermission,
  type Permission,
  type Permissions,
  parsePermissions,
} from '../core/permissions.ts';
export { XenstoreClient } from './client.ts';
export type { ClientFailure, ErrorName, LocalCode } from './failure.ts';
export { firstOf, type Link, type LinkListener, type Transport } from './link.ts';
export type { ClientOptions } from './options.ts';
export { ownDomain } from './own-domain.ts';
export type { OpenTransaction, Transaction } from './transaction.ts';
export { characterDevice, kernelDevice } from './transports/device.ts';
export { inProcess, type LocalPeer, type LocalServer } from './transports/in-process.ts';
export { type RingChannel, ring } from './transports/ring.ts';
export { socketPath, unixSocket } from './transports/unix-socket.ts';
export { readTree, type TreeNode, type TreeOptions } from './tree.ts';
export type { Watch, WatchEvent } from './watch.ts';

/** Wherever this process finds a xenstored: the daemon's socket, else the kernel's device. */
export function anywhere(environment: NodeJS.ProcessEnv = process.env): Transport {
  return firstOf(unixSocket(socketPath(environment)), kernelDevice());
}
