import { membersOf } from '../../core/configuration.ts';
import type { MemberId } from '../../core/ids.ts';
import type { Command } from '../../kv/request.ts';
import type { Replica } from '../../replica.ts';
import { protocolVersions } from '../../versions.ts';

/** The version (consensus/versions.ts) from which on a member can apply a command. */
export const commandVersions: Readonly<Record<Command['kind'], number>> = {
  put: 1,
  delete: 1,
  txn: 1,
  compact: 1,
  grant: 1,
  revoke: 1,
  renew: 1,
  expire: 1,
  describe: 1,
  raise: 2,
  clear: 2,
  auth: 2,
  asked: 2,
};

/** What a member says of its version, as far as another has met it: null where it has not. */
export type VersionOf = (member: MemberId) => number | null;

/**
 * What all members can read. A member that was not met does not count: a dead one must not hold the
 * pool back for ever. If it is old and comes back, it cannot follow before it is upgraded.
 */
export class Capabilities {
  readonly #replica: Pick<Replica<unknown>, 'status'>;
  readonly #versionOf: VersionOf;

  constructor(replica: Pick<Replica<unknown>, 'status'>, versionOf: VersionOf) {
    this.#replica = replica;
    this.#versionOf = versionOf;
  }

  /** The newest version that no member is known not to speak. */
  get common(): number {
    let common = protocolVersions.newest;
    for (const id of membersOf(this.#replica.status().configuration))
      common = Math.min(common, this.#versionOf(id) ?? common);
    return common;
  }

  /** Whether every single member was met and speaks `version`: for what can wait. */
  allSpeak(version: number): boolean {
    const { configuration } = this.#replica.status();
    return membersOf(configuration).every((id) => (this.#versionOf(id) ?? 0) >= version);
  }

  /** A member that is known to be older than `version`. */
  olderThan(version: number): MemberId | null {
    if (version <= protocolVersions.oldest) return null;
    const { configuration } = this.#replica.status();
    const isOlder = (id: MemberId) => (this.#versionOf(id) ?? version) < version;
    return membersOf(configuration).find(isOlder) ?? null;
  }
}
