import type { Logger } from 'pino';
import type { Replica, ReplicaStatus } from '../replica.ts';

/** Writes what changes of a member into its log: its role, its disk, and who takes part. */
export function logStatus(
  replica: Pick<Replica<unknown>, 'status' | 'onStatus'>,
  log: Logger,
): () => void {
  let before = replica.status();
  return replica.onStatus((status) => {
    logRole(before, status, log);
    logDisk(before, status, log);
    const { configuration, configurationIndex: index } = status;
    if (configuration !== before.configuration) {
      const { voters, learners } = configuration;
      log.info({ index, voters, learners }, 'members');
    }
    before = status;
  });
}

function logRole(before: ReplicaStatus, { role, term, leader }: ReplicaStatus, log: Logger): void {
  if (role !== before.role || term !== before.term || leader !== before.leader)
    log.info({ role, term, leader }, 'role');
}

function logDisk({ disk: before }: ReplicaStatus, { disk }: ReplicaStatus, log: Logger): void {
  if (disk === before) return;
  switch (disk) {
    case 'good':
      log.info({ disk }, 'the disk takes writes again');
      return;
    case 'full':
      log.error({ disk }, 'the disk is full: this member only reads until there is room again');
      return;
    case 'failed':
      log.error({ disk }, 'the disk failed: this member ends, to be started again');
  }
}
