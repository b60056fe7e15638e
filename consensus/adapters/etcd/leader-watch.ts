import type { Metadata } from '@grpc/grpc-js';
import { milliseconds } from '../../../base/units.ts';
import { failures, type GrpcFailure } from './failures.ts';
import type { EtcdMember } from './member.ts';

/**
 * A stream that asked for a leader is ended after this long without one: several elections, so
 * that a change of leaders does not make all clients come again at once.
 */
const leaderlessMax = milliseconds(3000);

/** Ends a stream. */
type Finish = (failure: GrpcFailure) => void;

/**
 * Watches and keep-alives whose client sent "hasleader" (etcd's `WithRequireLeader`) end with "no
 * leader" when this member has none, so that the client tries another. All streams end when the
 * member stops.
 */
export class LeaderWatch {
  readonly #streams = new Map<Finish, { readonly needsLeader: boolean }>();
  readonly #member: EtcdMember;
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(member: EtcdMember) {
    this.#member = member;
    this.#stopListening = member.replica.onStatus(() => this.#look());
    this.#look();
  }

  /** Adds a stream. Returns what removes it, which may be called twice. */
  join(metadata: Metadata, finish: Finish): () => void {
    const needsLeader = requiresLeader(metadata);
    this.#streams.set(finish, { needsLeader });
    if (needsLeader && this.#isLeaderless && this.#timer === null)
      queueMicrotask(() => finish(failures.noLeader));
    return () => this.#streams.delete(finish);
  }

  /** Ends every stream: the member stops. */
  stop(): void {
    this.#stopListening();
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const finish of [...this.#streams.keys()]) finish(failures.stopped);
  }

  get #isLeaderless(): boolean {
    return this.#member.replica.status().leader === null;
  }

  #look(): void {
    if (!this.#isLeaderless) {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
    } else if (this.#timer === null) this.#timer = setTimeout(() => this.#endAll(), leaderlessMax);
  }

  #endAll(): void {
    this.#timer = null;
    if (!this.#isLeaderless) return;
    for (const [finish, { needsLeader }] of [...this.#streams])
      if (needsLeader) finish(failures.noLeader);
  }
}

/** Whether a client wants no answer of a member without a leader: etcd's `WithRequireLeader`. */
export function requiresLeader(metadata: Metadata): boolean {
  return metadata.get('hasleader').includes('true');
}
