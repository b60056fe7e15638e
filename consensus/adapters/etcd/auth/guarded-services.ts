import type {
  Auth,
  Cluster,
  KV,
  Lease,
  Maintenance,
  Watch,
} from '../../../../proto/gen/etcdserverpb.ts';
import type { Handlers } from '../../../../proto/server.ts';
import type { GrpcFailure } from '../failures.ts';
import type { LeanHandlers } from '../lean-service.ts';
import { demands, forAnybody, forRoot, forUsers } from './demands.ts';
import type { Guard } from './guard.ts';

/** The services of etcd's API, as they act for one caller. */
export interface EtcdServices {
  readonly kv: LeanHandlers<KV>;
  readonly watch: LeanHandlers<Watch>;
  readonly lease: Handlers<Lease>;
  readonly cluster: Handlers<Cluster>;
  readonly maintenance: Handlers<Maintenance>;
  readonly auth: Handlers<Auth>;
}

/**
 * The same services with the guard before each method. A method that is not in this table is not
 * served at all: what is new must say who may use it.
 */
export function guardedServices(guard: Guard<EtcdServices>): EtcdServices {
  return {
    kv: {
      range: guard.unary(demands.range, ({ kv }) => kv.range),
      put: guard.unary(demands.put, ({ kv }) => kv.put),
      deleteRange: guard.unary(demands.deleteRange, ({ kv }) => kv.deleteRange),
      txn: guard.unary(demands.txn, ({ kv }) => kv.txn),
      compact: guard.unary(forRoot, ({ kv }) => kv.compact),
    },
    // Each watch of a stream is judged when it is created, and again when rights have changed.
    watch: {
      watch: (call) => {
        const refusal = guard.refusalOf(call, null);
        if (refusal === null) guard.servicesOf(call).watch.watch?.(call);
        else end(call, refusal);
      },
    },
    lease: {
      leaseGrant: guard.unary(forUsers, ({ lease }) => lease.leaseGrant),
      leaseRevoke: guard.unary(demands.leaseRevoke, ({ lease }) => lease.leaseRevoke),
      // Each renewal of a stream is judged by itself.
      leaseKeepAlive: (call) => {
        const refusal = guard.refusalOf(call, null);
        if (refusal === null) guard.servicesOf(call).lease.leaseKeepAlive?.(call);
        else end(call, refusal);
      },
      leaseTimeToLive: guard.unary(demands.leaseTimeToLive, ({ lease }) => lease.leaseTimeToLive),
      leaseLeases: guard.unary(forUsers, ({ lease }) => lease.leaseLeases),
    },
    cluster: {
      memberAdd: guard.unaryCurrent(forRoot, ({ cluster }) => cluster.memberAdd),
      memberRemove: guard.unaryCurrent(forRoot, ({ cluster }) => cluster.memberRemove),
      memberUpdate: guard.unaryCurrent(forRoot, ({ cluster }) => cluster.memberUpdate),
      memberList: guard.unary(forAnybody, ({ cluster }) => cluster.memberList),
      memberPromote: guard.unaryCurrent(forRoot, ({ cluster }) => cluster.memberPromote),
    },
    maintenance: {
      alarm: guard.unary(demands.alarm, ({ maintenance }) => maintenance.alarm),
      status: guard.unary(forAnybody, ({ maintenance }) => maintenance.status),
      defragment: guard.unary(forRoot, ({ maintenance }) => maintenance.defragment),
      hash: guard.unary(forRoot, ({ maintenance }) => maintenance.hash),
      hashKV: guard.unary(forRoot, ({ maintenance }) => maintenance.hashKV),
      snapshot: (call) => {
        const refusal = guard.refusalOf(call, { kind: 'administer' });
        if (refusal === null) guard.servicesOf(call).maintenance.snapshot?.(call);
        else end(call, refusal);
      },
      moveLeader: guard.unaryCurrent(forRoot, ({ maintenance }) => maintenance.moveLeader),
    },
    auth: {
      authEnable: guard.unary(forRoot, ({ auth }) => auth.authEnable),
      authDisable: guard.unary(forRoot, ({ auth }) => auth.authDisable),
      authStatus: guard.unary(forRoot, ({ auth }) => auth.authStatus),
      authenticate: guard.unary(forAnybody, ({ auth }) => auth.authenticate),
      userChangePassword: guard.unary(forAnybody, ({ auth }) => auth.userChangePassword),
      userAdd: guard.unary(forRoot, ({ auth }) => auth.userAdd),
      userGet: guard.unary(demands.userGet, ({ auth }) => auth.userGet),
      userList: guard.unary(forRoot, ({ auth }) => auth.userList),
      userDelete: guard.unary(forRoot, ({ auth }) => auth.userDelete),
      userGrantRole: guard.unary(forRoot, ({ auth }) => auth.userGrantRole),
      userRevokeRole: guard.unary(forRoot, ({ auth }) => auth.userRevokeRole),
      roleAdd: guard.unary(forRoot, ({ auth }) => auth.roleAdd),
      roleGet: guard.unary(demands.roleGet, ({ auth }) => auth.roleGet),
      roleList: guard.unary(forRoot, ({ auth }) => auth.roleList),
      roleDelete: guard.unary(forRoot, ({ auth }) => auth.roleDelete),
      roleGrantPermission: guard.unary(forRoot, ({ auth }) => auth.roleGrantPermission),
      roleRevokePermission: guard.unary(forRoot, ({ auth }) => auth.roleRevokePermission),
    },
  };
}

/** Ends a stream before it has begun. */
function end(
  call: { emit(event: 'error', error: object): unknown },
  { code, message }: GrpcFailure,
): void {
  call.emit('error', { code, details: message });
}
