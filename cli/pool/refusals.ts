import type { FailureReason } from '../../pool/failure.ts';

/** What an error says, without etcd's prefix. */
export type Row = readonly [
  kind: 'elsewhere' | 'not-now' | 'uncertain' | 'refused',
  reason: FailureReason,
  message: string,
  remedy: string,
];

/** What to do where it is not clear who is up. */
export const lookAtMembers = 'see who is up with `flotilla pool members`';
const startMembers = `start the members that are down: more than half of them must run; ${lookAtMembers}`;
const makeRoom =
  'delete what is not needed, then `flotilla pool compact`, `flotilla pool defragment` and `flotilla pool alarms disarm`; or raise --quota of every member';

/**
 * The one table of etcd's messages (its api/v3rpc/rpctypes/error.go) that the commands of the pool
 * database can meet, and what to do about each. The key is what follows `etcdserver: `.
 */
export const rows: Readonly<Record<string, Row>> = {
  'no leader': ['not-now', 'DATABASE_UNAVAILABLE', 'the pool database has no leader', startMembers],
  'leader changed': [
    'uncertain',
    'DATABASE_UNAVAILABLE',
    'the leader of the pool database changed meanwhile',
    lookAtMembers,
  ],
  'server stopped': [
    'elsewhere',
    'DATABASE_UNAVAILABLE',
    'the member is being stopped',
    lookAtMembers,
  ],
  'not leader': [
    'elsewhere',
    'DATABASE_UNAVAILABLE',
    'the member that was asked leads no longer',
    'try again',
  ],
  'rpc not supported for learner': [
    'elsewhere',
    'WRONG_STATE',
    'a learner does not serve this',
    'wait until it has become a voter, or name another member',
  ],
  'not capable': [
    'elsewhere',
    'NOT_IMPLEMENTED',
    'the members do not all have a release that can do this',
    'finish the upgrade of all members first',
  ],
  'the rights of this new pool are not set up yet': [
    'not-now',
    'DATABASE_UNAVAILABLE',
    'the pool is new, and its database is not set up yet',
    startMembers,
  ],
  'the disk of this member failed, restart it': [
    'elsewhere',
    'STORAGE',
    'the disk of the member failed',
    'look into its log, mend the disk, and start the member again',
  ],
  'too many requests': [
    'not-now',
    'LIMIT',
    'the pool database has too much to do just now',
    'try again in a moment',
  ],
  'request timed out': [
    'uncertain',
    'DATABASE_UNAVAILABLE',
    'the pool database did not do it in time',
    startMembers,
  ],
  'request timed out, possibly due to previous leader failure': [
    'uncertain',
    'DATABASE_UNAVAILABLE',
    'the pool database lost its leader meanwhile',
    lookAtMembers,
  ],
  'request timed out, possibly due to connection lost': [
    'uncertain',
    'DATABASE_UNAVAILABLE',
    'the pool database lost a connection meanwhile',
    lookAtMembers,
  ],
  'request timed out, leader transfer took too long': [
    'uncertain',
    'DATABASE_UNAVAILABLE',
    'the member that was to lead did not come forward in time',
    lookAtMembers,
  ],
  'unhealthy cluster': [
    'not-now',
    'WRONG_STATE',
    'the members cannot be changed just now: the leader is new, or a member is not well connected',
    startMembers,
  ],
  'the change of the membership before this one is not committed yet': [
    'not-now',
    'BUSY',
    'another change of the members is under way',
    'try again in a moment',
  ],
  'member ID already exist': [
    'refused',
    'NAME_TAKEN',
    'there is a member of this id already',
    lookAtMembers,
  ],
  'Peer URLs already exists': [
    'refused',
    'NAME_TAKEN',
    'another member has this peer address',
    `give one that is free; ${lookAtMembers}`,
  ],
  'given member URLs are invalid': [
    'refused',
    'INVALID_FIELD',
    'the peer address is none that a member can have',
    'write HOST:PORT, such as 10.0.0.4:2380',
  ],
  'member not found': [
    'refused',
    'NOT_FOUND',
    'the pool database has no such member',
    'list them with `flotilla pool members`',
  ],
  're-configuration failed due to not enough started members': [
    'refused',
    'WRONG_STATE',
    'without this member the others that are up would be no majority',
    startMembers,
  ],
  'can only promote a learner member': [
    'refused',
    'WRONG_STATE',
    'the member is a voter already',
    '',
  ],
  'can only promote a learner member which is in sync with leader': [
    'refused',
    'WRONG_STATE',
    'the learner has not caught up with the leader yet',
    'watch BEHIND with `flotilla pool members --watch`, and promote it when it is near 0',
  ],
  'too many learner members in cluster': [
    'refused',
    'LIMIT',
    'the database takes no more members, or no more learners at a time',
    'promote a learner, or remove a member first: `flotilla pool members`',
  ],
  'bad leader transferee': [
    'refused',
    'WRONG_STATE',
    'the member cannot lead: it is no voter, or is not well connected',
    'name another one, or leave the name out; see `flotilla pool members`',
  ],
  'permission denied': [
    'refused',
    'FORBIDDEN',
    'the pool database does not allow this to the identity that was shown',
    'use the identity of an operator (--identity); rights are explained in docs/access.md',
  ],
  'user name is empty': [
    'refused',
    'FORBIDDEN',
    'the pool database does not know who calls',
    'show the certificate of an operator (--identity); see docs/access.md',
  ],
  'this version does not serve that method': [
    'refused',
    'NOT_IMPLEMENTED',
    'the member that was asked cannot do this',
    'run the same release on all hosts',
  ],
  'mvcc: database space exceeded': [
    'refused',
    'NO_SPACE',
    'the pool database is full (alarm NOSPACE)',
    makeRoom,
  ],
  'mvcc: required revision has been compacted': [
    'refused',
    'REVISION_COMPACTED',
    'the revision has been compacted already',
    '',
  ],
  'mvcc: required revision is a future revision': [
    'refused',
    'INVALID_FIELD',
    'the revision has not come yet',
    'give one that is not above REVISION in `flotilla pool status`',
  ],
  'corrupt cluster': [
    'refused',
    'WRONG_STATE',
    'a member found that its data differs from the others (alarm CORRUPT)',
    'remove that member and add it anew: `flotilla pool alarms` names it',
  ],
};
