import { fail, ok } from '../../../base/result.ts';
import type { Maintenance } from '../../../proto/gen/etcdserverpb.ts';
import type { Handlers } from '../../../proto/server.ts';
import { memberId } from '../../core/ids.ts';
import { crc32 } from '../../kv/crc32.ts';
import type { MembershipError } from '../../replica.ts';
import { alarmErrors, alarmsNow, serveAlarm } from './alarm-service.ts';
import { failures, type Served, storeFailure } from './failures.ts';
import { freeCompacted } from './housekeeping.ts';
import { unary } from './lean-service.ts';
import type { EtcdMember } from './member.ts';
import { revision, wholeNumber } from './requests.ts';
import { SnapshotStreams } from './snapshot-stream.ts';
import { HeavyWork, inTurns, nextTurn } from './turns.ts';

/** The version of etcd's API that is served: clients look at it to know what they may ask. */
const apiVersion = '3.4.0';

/** What a member's state says of a disk that is not trusted any more. */
const diskFailed = 'etcdserver: the disk of this member failed, restart it';

/** etcd's Maintenance service. What reads the whole store does so in turns. */
export function maintenanceService(member: EtcdMember): Handlers<Maintenance> {
  const heavy = new HeavyWork();
  const { store, replica } = member;
  return {
    // Status is about this member alone, and is answered whatever state it is in.
    status: unary(() => {
      const { leader, commitIndex, appliedIndex, term, configuration, disk } = replica.status();
      const size = BigInt(store.size);
      const errors = alarmErrors(alarmsNow(member));
      if (leader === null) errors.unshift(failures.noLeader.message);
      if (disk === 'failed') errors.push(diskFailed);
      return ok({
        header: member.headerNow(),
        version: apiVersion,
        dbSize: size,
        dbSizeInUse: size,
        leader: BigInt(leader ?? 0),
        raftIndex: BigInt(commitIndex),
        raftAppliedIndex: BigInt(appliedIndex),
        raftTerm: BigInt(term),
        isLearner: configuration.learners.includes(member.id),
        storageVersion: String(member.capabilities.common),
        errors,
      });
    }),
    alarm: unary((wire) => serveAlarm(member, wire)),
    // There are no pages to put in order: what can be freed is what was compacted.
    defragment: unary(() =>
      heavy.run(async () => {
        await freeCompacted(store);
        return ok({ header: member.headerNow() });
      }),
    ),
    hash: unary(() =>
      heavy.run(async () => {
        let hash = 0;
        for (const chunk of store.snapshot()) {
          hash = crc32(chunk, hash);
          await nextTurn();
        }
        return ok({ header: member.headerNow(), hash });
      }),
    ),
    hashKV: unary((wire) =>
      heavy.run(async () => {
        const turns = store.hash(revision(wire.revision));
        if (!turns.ok) return storeFailure(turns.error);
        const { hash, compacted } = await inTurns(turns.value);
        // Before the first compaction etcd says -1.
        const compactRevision = BigInt(compacted === 0 ? -1 : compacted);
        return ok({ header: member.headerNow(), hash, compactRevision });
      }),
    ),
    snapshot: new SnapshotStreams(member).serve,
    moveLeader: unary(async (wire) => {
      const { leader, configuration } = replica.status();
      if (leader !== member.id) return fail(failures.notLeader);
      const target = memberId(wholeNumber(wire.targetID));
      if (!configuration.voters.includes(target)) return fail(failures.badTransferee);
      const moved = await replica.transferLeadership(target);
      return moved.ok ? ok({ header: member.headerNow() }) : fail(transferFailure(moved.error));
    }),
  };
}

function transferFailure({
  code,
}: MembershipError): Extract<Served<never>, { ok: false }>['error'] {
  switch (code) {
    case 'no-leader':
      return failures.notLeader;
    case 'stopped':
      return failures.stopped;
    case 'member-not-found':
      return failures.badTransferee;
    default:
      return failures.transferTimedOut;
  }
}
