import { type ServiceError, status } from '@grpc/grpc-js';
import type { FailureReason } from '../../pool/failure.ts';
import { isCutOff, reasonOf } from '../connection/call.ts';
import { type Problem, problemOf } from '../problem.ts';
import { lookAtMembers, rows } from './refusals.ts';

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
        why: reasonOf(error).replace(prefix, ''),
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
