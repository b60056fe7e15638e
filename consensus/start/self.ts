import type { Configuration } from '../core/configuration.ts';
import type { MemberId } from '../core/ids.ts';
import type { PoolIdentity } from '../identity.ts';

/** Who a member is. */
export interface Self {
  readonly pool: PoolIdentity;
  readonly member: MemberId;
  /** What its log begins with, where that is empty. */
  readonly configuration: Configuration;
}
