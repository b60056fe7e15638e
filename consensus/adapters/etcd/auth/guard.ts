import type { handleUnaryCall, Metadata, sendUnaryData } from '@grpc/grpc-js';
import { fail } from '../../../../base/result.ts';
import { authBounds } from '../../../kv/auth/bounds.ts';
import type { Demand } from '../../../kv/auth/rights.ts';
import type { ByteString } from '../../../kv/byte-string.ts';
import { isReadOnly } from '../../../kv/validate.ts';
import { failures, type GrpcFailure, type Served } from '../failures.ts';
import { requiresLeader } from '../leader-watch.ts';
import type { EtcdMember } from '../member.ts';
import { Callers, type IdentifiedCall } from './caller.ts';
import type { DemandOf } from './demands.ts';
import { identityFailures } from './failures.ts';

/** How many callers that are no users are remembered at most, beside those who are. */
const strangersMax = 1000;

/** Makes the services that act for one caller, on the member as that caller may use it. */
export type MakeServices<Services> = (member: EtcdMember) => Services;

/** The revision of a store that holds nothing and never did. */
const firstRevision = 1;

/** What acts for one caller. */
interface Client<Services> {
  readonly member: EtcdMember;
  readonly services: Services;
}

/**
 * Stands before the services: while rights are enforced, it lets through what the caller may do.
 *
 * Before a write is proposed, this spares the log what would be refused when it is applied, which
 * is what counts. A read is looked at again when it is answered, if rights have changed meanwhile:
 * then they are at least as new as what was read. And a member may be behind: nobody is refused who
 * was given the right by the time of the call, since before it refuses, it catches up.
 */
export class Guard<Services> {
  readonly #member: EtcdMember;
  readonly #make: MakeServices<Services>;
  readonly #isFoundedFirst: boolean;
  readonly #callers = new Callers();
  readonly #clients = new Map<ByteString | null, Client<Services>>();

  /** `isFoundedFirst`: a new pool is not served before its rights are set up. */
  constructor(member: EtcdMember, make: MakeServices<Services>, isFoundedFirst: boolean) {
    this.#member = member;
    this.#make = make;
    this.#isFoundedFirst = isFoundedFirst;
  }

  /** The services that act for who makes a call. */
  servicesOf(call: IdentifiedCall): Services {
    return this.#clientOf(call).services;
  }

  /** Why a call is not served whatever it asks for; null where it is. */
  refusalOf(call: IdentifiedCall, demand: Demand | null): GrpcFailure | null {
    if (this.#isUnfounded) return identityFailures.notFounded;
    return this.#clientOf(call).member.refusal(demand);
  }

  /** The handler of a method, which serves what the caller may do. */
  unary<Request, Response>(
    demandOf: DemandOf<Request>,
    handlerOf: (services: Services) => handleUnaryCall<Request, Response> | undefined,
  ): handleUnaryCall<Request, Response> {
    return (call, reply) => {
      const { member, services } = this.#clientOf(call);
      const serve = (answer: sendUnaryData<Response>) => {
        const handler = handlerOf(services);
        if (handler === undefined) answer(errorOf(identityFailures.unimplemented));
        else handler(call, answer);
      };
      const refusal = this.#isUnfounded ? identityFailures.notFounded : this.#leaderless(call);
      if (refusal !== null) {
        reply(errorOf(refusal));
        return;
      }
      const demanded = () => demandOf(call.request);
      const rechecked = this.#rechecked(member, demanded, reply);
      if (!this.#member.store.auth.enabled) {
        serve(rechecked);
        return;
      }
      const demand = demanded();
      if (!demand.ok) reply(errorOf(demand.error));
      else if (member.refusal(demand.value) !== null)
        void this.#refuse(member, demand.value, reply, serve);
      else serve(rechecked);
    };
  }

  /**
   * The same for what the log does not judge again, such as who the members are: this member
   * catches up before it judges, so that a right that was taken away is gone.
   */
  unaryCurrent<Request, Response>(
    demandOf: DemandOf<Request>,
    handlerOf: (services: Services) => handleUnaryCall<Request, Response> | undefined,
  ): handleUnaryCall<Request, Response> {
    const handler = this.unary(demandOf, handlerOf);
    return async (call, reply) => {
      const refusal = this.#leaderless(call);
      const current = refusal === null ? await this.#member.readBarrier() : fail(refusal);
      if (current.ok) handler(call, reply);
      else reply(errorOf(current.error));
    };
  }

  /** A client that can ask another member is not kept waiting for this one to find a leader. */
  #leaderless(call: { readonly metadata: Metadata }): GrpcFailure | null {
    const isLeaderless = this.#member.replica.status().leader === null;
    return isLeaderless && requiresLeader(call.metadata) ? failures.noLeader : null;
  }

  /** Nothing was ever written: a pool that has data is served as before until its rights are set up. */
  get #isUnfounded(): boolean {
    const { auth, revision } = this.#member.store;
    return this.#isFoundedFirst && auth.isUntouched && revision === firstRevision;
  }

  #clientOf(call: IdentifiedCall): Client<Services> {
    const name = this.#callers.nameOf(call);
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    if (this.#clients.size >= authBounds.users + strangersMax) this.#clients.clear();
    const member = this.#member.as(name);
    const client = { member, services: this.#make(member) };
    this.#clients.set(name, client);
    return client;
  }

  /** Refuses, unless it turns out that the caller was given the right meanwhile. */
  async #refuse<Response>(
    member: EtcdMember,
    demand: Demand | null,
    reply: sendUnaryData<Response>,
    serve: (answer: sendUnaryData<Response>) => void,
  ): Promise<void> {
    const current = await member.readBarrier();
    const refusal = current.ok ? member.refusal(demand) : current.error;
    if (refusal === null) serve(reply);
    else reply(errorOf(refusal));
  }

  /** Answers with what was read only if the caller may read it by then. */
  #rechecked<Response>(
    member: EtcdMember,
    demandOf: () => Served<Demand | null>,
    reply: sendUnaryData<Response>,
  ): sendUnaryData<Response> {
    const { revision } = this.#member.store.auth;
    return (error, ...answer) => {
      const hasChanged = this.#member.store.auth.revision !== revision;
      const refusal = error === null && hasChanged ? readRefusal(member, demandOf()) : null;
      if (refusal === null) reply(error, ...answer);
      else reply(errorOf(refusal));
    };
  }
}

/** Why somebody may not read what it asked for; null where it may, or has written. */
function readRefusal(member: EtcdMember, demand: Served<Demand | null>): GrpcFailure | null {
  if (!demand.ok) return demand.error;
  return isRead(demand.value) ? member.refusal(demand.value) : null;
}

function isRead(demand: Demand | null): boolean {
  switch (demand?.kind) {
    case 'read':
    case 'lease-read':
      return true;
    case 'txn':
      return isReadOnly(demand);
    default:
      return false;
  }
}

function errorOf({ code, message }: GrpcFailure): Parameters<sendUnaryData<unknown>>[0] {
  return { code, details: message };
}
