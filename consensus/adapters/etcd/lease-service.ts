import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ok } from '../../../base/result.ts';
import type { Input } from '../../../proto/codec.ts';
import type {
  Lease,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
} from '../../../proto/gen/etcdserverpb.ts';
import type { Handlers } from '../../../proto/server.ts';
import { bufferOf } from '../../kv/byte-string.ts';
import type { LeaseId } from '../../kv/version.ts';
import type { GrpcFailure } from './failures.ts';
import type { LeaderWatch } from './leader-watch.ts';
import { unary } from './lean-service.ts';
import type { LeaseClock } from './lease-clock.ts';
import { type EtcdMember, randomLeaseId } from './member.ts';
import { Renewals } from './renewals.ts';
import { wholeNumber } from './requests.ts';

/** Keep-alives of one stream that are under way; then the stream is not read for a while. */
const keepAlivesPerStream = 256;

/** etcd's Lease service. */
export function leaseService(
  member: EtcdMember,
  clock: LeaseClock,
  leader: LeaderWatch,
): Handlers<Lease> {
  const renewals = new Renewals(member);
  const { store } = member;
  return {
    leaseGrant: unary(async (wire) => {
      const id = wire.ID === 0n ? randomLeaseId() : (wire.ID as LeaseId);
      const reply = await member.propose<'grant'>({
        kind: 'grant',
        id,
        ttl: wholeNumber(wire.TTL),
      });
      if (!reply.ok) return reply;
      const { revision, ttl } = reply.value;
      return ok({ header: member.header(revision), ID: id, TTL: BigInt(ttl) });
    }),
    leaseRevoke: unary(async (wire) => {
      const reply = await member.propose<'revoke'>({ kind: 'revoke', id: wire.ID as LeaseId });
      return reply.ok ? ok({ header: member.header(reply.value.revision) }) : reply;
    }),
    leaseKeepAlive: (call) => keepAlive(call, member, renewals, leader),
    leaseTimeToLive: unary(async (wire) => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      const header = member.headerNow();
      const lease = store.lease(wire.ID as LeaseId);
      if (lease === undefined) return ok({ header, ID: wire.ID, TTL: -1n });
      return ok({
        header,
        ID: wire.ID,
        TTL: BigInt(Math.floor(clock.remaining(lease.id) / 1000)),
        grantedTTL: BigInt(lease.ttl),
        keys: wire.keys ? [...lease.keys].sort().map(bufferOf) : [],
      });
    }),
    leaseLeases: unary(async () => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      const leases = [...store.leases()].map(({ id }) => ({ ID: id }));
      return ok({ header: member.headerNow(), leases });
    }),
  };
}

type KeepAliveCall = ServerDuplexStream<LeaseKeepAliveRequest, Input<LeaseKeepAliveResponse>>;

/** A stream ends with the first renewal that cannot be served: the client opens another elsewhere. */
function keepAlive(
  call: KeepAliveCall,
  member: EtcdMember,
  renewals: Renewals,
  leader: LeaderWatch,
): void {
  let underWay = 0;
  let ended = false;
  const finish = (failure: GrpcFailure | null) => {
    if (ended) return;
    ended = true;
    leave();
    if (failure === null) call.end();
    else call.emit('error', { code: failure.code, details: failure.message });
  };
  const leave = leader.join(call.metadata, finish);
  const renew = async ({ ID }: LeaseKeepAliveRequest) => {
    const refusal = member.refusal({ kind: 'lease-write', id: ID as LeaseId });
    if (refusal !== null) {
      finish(refusal);
      return;
    }
    underWay += 1;
    if (underWay >= keepAlivesPerStream) call.pause();
    const renewed = await renewals.renew(ID as LeaseId);
    underWay -= 1;
    if (ended) return;
    if (!renewed.ok) {
      finish(renewed.error);
      return;
    }
    call.write({ header: member.headerNow(), ID, TTL: BigInt(renewed.value) });
    call.resume();
    if (halfClosed && underWay === 0) finish(null);
  };
  let halfClosed = false;
  call.on('data', (request) => void renew(request));
  call.on('end', () => {
    halfClosed = true;
    if (underWay === 0) finish(null);
  });
  call.on('cancelled', () => finish(null));
  call.on('error', () => finish(null));
}
