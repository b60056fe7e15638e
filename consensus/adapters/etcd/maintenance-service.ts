import { fail, ok } from '../../../base/result.ts';
import type { Maintenance } from '../../../proto/gen/etcdserverpb.ts';
import type { Handlers } from '../../../proto/server.ts';
import { failures } from './failures.ts';
import { unary } from './lean-service.ts';
import type { EtcdMember } from './member.ts';

/** The version of etcd's API that is served: clients look at it to know what they may ask. */
const apiVersion = '3.4.0';

/** etcd's Maintenance service, as far as it is served; the rest is UNIMPLEMENTED. */
export function maintenanceService(member: EtcdMember): Handlers<Maintenance> {
  return {
    // Status is about this member alone, and is answered whatever state it is in.
    status: unary(() => {
      const { leader, commitIndex, appliedIndex, term } = member.replica.status();
      const size = BigInt(member.store.size);
      const errors: string[] = [];
      if (leader === null) errors.push(failures.noLeader.message);
      if (member.isFull) errors.push(failures.noSpace.message);
      return ok({
        header: member.headerNow(),
        version: apiVersion,
        dbSize: size,
        dbSizeInUse: size,
        leader: BigInt(leader ?? 0),
        raftIndex: BigInt(commitIndex),
        raftAppliedIndex: BigInt(appliedIndex),
        raftTerm: BigInt(term),
        errors,
      });
    }),
    // Alarms are not kept: each is what is so now, and ends by itself.
    alarm: unary((wire) => {
      if (wire.action !== 'GET') return fail(failures.alarmsAreNotSet);
      const memberID = BigInt(member.replica.status().member);
      const alarms = member.isFull ? [{ memberID, alarm: 'NOSPACE' as const }] : [];
      return ok({ header: member.headerNow(), alarms });
    }),
  };
}
