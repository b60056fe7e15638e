import { isCaughtUp, isHeard, type Raft } from '../core/raft.ts';
import type { FollowerStatus, ReplicaStatus } from '../replica.ts';
import type { DiskState } from './writer.ts';

/** What a member tells of itself. */
export function statusOf(
  raft: Raft,
  appliedIndex: ReplicaStatus['appliedIndex'],
  disk: DiskState,
): ReplicaStatus {
  const { id, leader, role, term, commit, log, standing } = raft;
  return {
    member: id,
    leader,
    role,
    term,
    commitIndex: commit,
    appliedIndex,
    configuration: log.configuration,
    configurationIndex: log.configurationIndex,
    committedConfiguration: log.configurationAt(commit),
    disk,
    removed: standing === 'removed',
  };
}

/** Whether a member is as it told last, so that listeners need not be told. Indexes move all the time. */
export function isSame(raft: Raft, disk: DiskState, told: ReplicaStatus): boolean {
  return (
    raft.role === told.role &&
    raft.term === told.term &&
    raft.leader === told.leader &&
    raft.log.configuration === told.configuration &&
    disk === told.disk &&
    (raft.standing === 'removed') === told.removed
  );
}

/** What a leader knows of the members that take part. */
export function followersOf(raft: Raft): readonly FollowerStatus[] {
  const followers: FollowerStatus[] = [];
  for (const [member, { match, leaving }] of raft.leadership?.progress ?? [])
    if (leaving === null)
      followers.push({
        member,
        match,
        heard: isHeard(raft, member),
        caughtUp: isCaughtUp(raft, member),
      });
  return followers;
}
