import type { Input } from '../../../proto/codec.ts';
import type { Change, ChangeRefused_Reason } from '../../../proto/gen/flotilla.raft.v1.ts';
import { memberId } from '../../core/ids.ts';
import type { MembershipChange, MembershipRefusal } from '../../core/membership.ts';
import { arePeers } from '../configuration-json.ts';

/** Why a change was refused, as it travels. */
export const refusalNames: Readonly<Record<MembershipRefusal, ChangeRefused_Reason>> = {
  'not-ready': 'NOT_READY',
  'change-under-way': 'CHANGE_UNDER_WAY',
  'member-exists': 'MEMBER_EXISTS',
  'address-taken': 'ADDRESS_TAKEN',
  'member-not-found': 'MEMBER_NOT_FOUND',
  'not-a-learner': 'NOT_A_LEARNER',
  'not-caught-up': 'NOT_CAUGHT_UP',
  'too-many-members': 'TOO_MANY_MEMBERS',
  'majority-needed': 'MAJORITY_NEEDED',
};

/** The same, the other way. */
export const refusals: Readonly<Record<ChangeRefused_Reason, MembershipRefusal>> = {
  NOT_READY: 'not-ready',
  CHANGE_UNDER_WAY: 'change-under-way',
  MEMBER_EXISTS: 'member-exists',
  ADDRESS_TAKEN: 'address-taken',
  MEMBER_NOT_FOUND: 'member-not-found',
  NOT_A_LEARNER: 'not-a-learner',
  NOT_CAUGHT_UP: 'not-caught-up',
  TOO_MANY_MEMBERS: 'too-many-members',
  MAJORITY_NEEDED: 'majority-needed',
};

/** A change of the membership, as it travels. */
export function changeToWire(number: number, change: MembershipChange): Input<Change> {
  const { member } = change;
  switch (change.kind) {
    case 'add':
      return { number, member, add: { peers: change.peers, staysLearner: change.staysLearner } };
    case 'promote':
      return { number, member, promote: {} };
    case 'remove':
      return { number, member, remove: {} };
    case 'update':
      return { number, member, update: { peers: change.peers } };
  }
}

/**
 * Reads a change; null for one that this version does not know, and for one whose addresses no
 * configuration could hold: in the log nobody could read it.
 */
export function changeFromWire(wire: Change): MembershipChange | null {
  const peers = wire.add?.peers ?? wire.update?.peers;
  if (peers !== undefined && !arePeers(peers)) return null;
  const member = memberId(wire.member);
  if (wire.add !== undefined) return { kind: 'add', member, ...wire.add };
  if (wire.promote !== undefined) return { kind: 'promote', member };
  if (wire.remove !== undefined) return { kind: 'remove', member };
  if (wire.update !== undefined) return { kind: 'update', member, peers: wire.update.peers };
  return null;
}
