import { type ServiceError, status } from '@grpc/grpc-js';
import type { FailureReason } from '../../pool/failure.ts';
import { isCutOff, reasonOf } from '../connection/call.ts';
import { type Problem, problemOf } from '../problem.ts';

/** How a call of etcd's API that failed is to be taken. */
export type EtcdFailure =
  /** The member did not answer. What was `turnedAway` had no effect for certain. */
  | { readonly kind: 'silent'; readonly why: string; readonly turnedAway: boolean }
  /** It cannot, and had no effect; another member may. */
  | { readonly kind: 'elsewhere'; readonly problem: Problem }
  /** Nobody can just now, and it had no effect: there is no leader, or a change is under way. */
  | { readonly kind: 'not-now'; readonly problem: Problem }
  /** It may yet take effect. */
  | { readonly kind: 'uncertain'; readonly problem: Problem }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** What an error says, without etcd's prefix. */
type Row = readonly [
  kind: 'elsewhere' | 'not-now' | 'uncertain' | 'refused',
  reason: FailureReason,
  message: string,
  remedy: string,
];

const lookAtMembers = 'see who is up with `flotilla pool members`';
const startMembers = `start the members that are down: more than half of them must run; ${lookAtMembers}`;
const makeRoom =
  'delete what is not needed, then `flotilla pool compact`, `flotilla pool defragment` and `flotilla pool alarms disarm`; or raise --quota of every member';

/**
 * The one table of etcd's messages (its api/v3rpc/rpctypes/error.go) that the commands of the pool
 * database can meet, and what to do about each. The key is what follows `etcdserver: `.
 */
const rows: Readonly<Record<string, Row>> = {
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

const prefix = /^etcdserver: /;

/** Tells what became of a call, and what whoever asked can do. */
export function etcdFailure(error: ServiceError): EtcdFailure {
  const text = error.details.replace(prefix, '');
  const [whole, ...more] = text.split(': ');
  const row = rows[text] ?? rows[whole ?? ''];
  if (row !== undefined) {
    const [kind, reason, words, remedy] = row;
    const message = rows[text] === undefined ? `${words}: ${more.join(': ')}` : words;
    return { kind, problem: problemOf({ reason, message, remedy }) };
  }
  switch (error.code) {
    case status.DEADLINE_EXCEEDED:
      return { kind: 'silent', why: 'no answer in time', turnedAway: false };
    case status.UNAVAILABLE:
      return {
        kind: 'silent',
        why: reasonOf(error),
        turnedAway: /^No connection established|ECONNREFUSED/.test(text),
      };
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return refused('FORBIDDEN', text, 'use the identity of an operator: see docs/access.md');
    case status.UNIMPLEMENTED:
      return refused('NOT_IMPLEMENTED', text, 'run the same release on all hosts');
    case status.RESOURCE_EXHAUSTED:
      return refused('LIMIT', text, 'try again in a moment');
    default:
      if (isCutOff(error)) return { kind: 'silent', why: reasonOf(error), turnedAway: false };
      return refused('WRONG_STATE', text, lookAtMembers);
  }
}

function refused(reason: FailureReason, why: string, remedy: string): EtcdFailure {
  const message = `the pool database refused: ${why}`;
  return { kind: 'refused', problem: problemOf({ reason, message, remedy }) };
}
