import { ok } from '../../../base/result.ts';
import type { Input } from '../../../proto/codec.ts';
import type { Cluster, Member } from '../../../proto/gen/etcdserverpb.ts';
import type { Handlers } from '../../../proto/server.ts';
import { membersOf } from '../../core/configuration.ts';
import { type ByteString, bufferOf } from '../../kv/byte-string.ts';
import { unary } from './lean-service.ts';
import type { EtcdMember } from './member.ts';

/**
 * etcd's Cluster service: who is a member is Raft's to say, the addresses for clients are what each
 * member put into the store. Members cannot be changed yet: those calls are UNIMPLEMENTED.
 */
export function clusterService(member: EtcdMember): Handlers<Cluster> {
  return {
    memberList: unary(async () => {
      const current = await member.readBarrier();
      if (!current.ok) return current;
      return ok({ header: member.headerNow(), members: memberList(member) });
    }),
  };
}

function memberList(member: EtcdMember): Input<Member>[] {
  const { configuration } = member.replica.status();
  return membersOf(configuration).map((id) => {
    const address = configuration.addresses.find((each) => each.member === id);
    const described = member.store.member(id);
    return {
      ID: BigInt(id),
      // etcd shows no name before a member has started and told it.
      name: described === undefined ? '' : text(described.name),
      peerURLs: address?.peers.map((peer) => `${member.peerScheme}://${peer}`) ?? [],
      clientURLs: described?.clientUrls.map(text) ?? [],
      isLearner: configuration.learners.includes(id),
    };
  });
}

function text(bytes: ByteString): string {
  return bufferOf(bytes).toString('utf8');
}
