import type { MemoryDisk } from '../../../consensus/adapters/memory/log-store.ts';
import type { Configuration } from '../../../consensus/core/configuration.ts';
import type { MemberId } from '../../../consensus/core/ids.ts';
import type { Outputs } from '../../../consensus/core/output.ts';
import type { Raft } from '../../../consensus/core/raft.ts';
import { ConfigurationChecks } from './configuration-checks.ts';
import { QuorumChecks } from './quorum-checks.ts';
import { SafetyChecks } from './safety-checks.ts';

/** Everything that is checked after every step of every member. */
export class PoolChecks {
  readonly safety = new SafetyChecks();
  readonly configurations: ConfigurationChecks;
  readonly #quorums: QuorumChecks;

  constructor(beginning: Configuration, diskOf: (member: MemberId) => MemoryDisk | undefined) {
    this.configurations = new ConfigurationChecks(beginning, this.safety.committed);
    this.#quorums = new QuorumChecks(diskOf);
  }

  /** A member starts with what its disk holds. */
  started(member: MemberId, disk: MemoryDisk): void {
    this.configurations.started(member, disk);
  }

  /** A member has taken a step. */
  observe(raft: Raft, outputs: Outputs): void {
    this.safety.observe(raft, outputs);
    this.configurations.observe(raft, outputs);
    this.#quorums.observe(raft);
  }

  /** A member has crashed. */
  ended(member: MemberId): void {
    this.safety.forget(member);
    this.#quorums.ended(member);
  }
}
