import type { Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';

/** A bridge that a host is to have. */
export interface Bridge {
  readonly name: string;
  readonly mtu: number;
}

/** An interface on a bridge. */
export interface Joined {
  readonly interface: string;
  readonly bridge: string;
}

/**
 * The port to the bridges of this host. Every call is idempotent. A caller does not start a second
 * call before the first has ended. The only failure is NETWORK.
 */
export interface BridgeDriver {
  /** Sees that the bridge exists, has this MTU, and is up. */
  ensure(bridge: Bridge): Promise<Result<void, Failure>>;
  /** Whether there is an interface of this name. */
  present(name: string): Promise<Result<boolean, Failure>>;
  /**
   * Joins an interface to a bridge that `ensure` was called for, takes it from any other, gives it
   * the bridge's MTU, and sets it up.
   */
  join(name: string, bridge: Bridge): Promise<Result<void, Failure>>;
  /** Takes an interface from its bridge. One that is on none, or is gone, has left. */
  leave(name: string): Promise<Result<void, Failure>>;
  /** Every interface that is on a bridge. */
  joined(): Promise<Result<readonly Joined[], Failure>>;
}
