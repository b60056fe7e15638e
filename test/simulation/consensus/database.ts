import { present } from '../../../base/assert.ts';
import { ok } from '../../../base/result.ts';
import { bytes } from '../../../base/units.ts';
import { LeaseClock } from '../../../consensus/adapters/etcd/lease-clock.ts';
import { EtcdMember } from '../../../consensus/adapters/etcd/member.ts';
import { Renewals } from '../../../consensus/adapters/etcd/renewals.ts';
import type { StoreReply } from '../../../consensus/kv/reply.ts';
import type { Store } from '../../../consensus/kv/store.ts';
import type { Node } from '../../../consensus/node.ts';
import type { Clock } from '../../../consensus/ports.ts';
import type { Replica } from '../../../consensus/replica.ts';
import type { Applied } from './machine.ts';
import type { StoreMachine } from './store-machine.ts';

/** One member's pool database: the store, and what runs beside it, as in the real process. */
export interface Database {
  readonly machine: StoreMachine;
  readonly store: Store;
  readonly renewals: Renewals;
}

/** Puts the parts together as the real process does. `leaseTime` is the lease clock's clock. */
export function openDatabase(
  machine: StoreMachine,
  node: Node<Applied>,
  leaseTime: Clock,
): Database {
  const { store } = machine;
  const member = new EtcdMember({
    store,
    replica: replicaOf(node),
    clusterId: 1n,
    peerScheme: 'http',
    quota: bytes(2 ** 40),
    versionOf: () => null,
  });
  new LeaseClock(member, leaseTime);
  return { machine, store, renewals: new Renewals(member) };
}

/** The node as the store's replica: its machine answers more than the store does. */
function replicaOf(node: Node<Applied>): Replica<StoreReply> {
  return {
    propose: async (command, urgent) => {
      const proposed = await node.propose(command, urgent);
      return proposed.ok ? ok(present(proposed.value.reply, 'the store answers')) : proposed;
    },
    readBarrier: () => node.readBarrier(),
    changeMembership: (change) => node.changeMembership(change),
    transferLeadership: (to) => node.transferLeadership(to),
    status: () => node.status(),
    followers: () => node.followers(),
    onStatus: (listener) => node.onStatus(listener),
  };
}
