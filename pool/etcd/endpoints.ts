import { type ChannelCredentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { present } from '../../base/assert.ts';
import type { Random } from '../../base/random.ts';
import { fail, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { type CallSettings, type Connection, connect } from '../../proto/client.ts';
import { backOffDelay } from '../back-off.ts';
import type { Clock } from '../clock.ts';
import type { Revision } from '../database.ts';
import { databaseUnavailable } from '../database-failures.ts';
import type { Failure } from '../failure.ts';
import { judge } from './errors.ts';

/** One attempt with one member: what a member that is well, on a busy disk, stays below. */
const attemptTimeout = milliseconds(3_000);

/** All attempts of one call: long enough for an election, shorter than a caller's deadline. */
const callBudget = milliseconds(8_000);

/** Between rounds through all members. */
const retry = { first: milliseconds(50), most: milliseconds(500) };

/** The largest answer that is taken: a page of the largest records. */
const answerSize = 64 * 2 ** 20;

const channelOptions = {
  'grpc.max_receive_message_length': answerSize,
  // A member whose machine vanished is noticed after 15 s; etcd refuses pings below 5 s.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

/** One attempt of a call. */
export type Attempt<Reply> = (
  connection: Connection,
  settings: CallSettings,
) => Promise<Result<Reply, ServiceError>>;

/** What an endpoint list is made of. */
export interface EndpointSettings {
  /** HOST:PORT of members; at least one. */
  readonly endpoints: readonly string[];
  readonly credentials: ChannelCredentials;
  readonly clock: Clock;
  readonly random: Random;
}

/** The members of the database, one of which is called until it fails. */
export class Endpoints {
  #settings: EndpointSettings;
  #connections: readonly Connection[];
  #current: number;
  #closed = new AbortController();

  constructor(settings: EndpointSettings) {
    this.#settings = settings;
    this.#connections = settings.endpoints.map((endpoint) => this.open(endpoint));
    this.#current = 0;
  }

  /** Aborts when the endpoints are closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The member that is called now. */
  get current(): Connection {
    return present(this.#connections[this.#current], 'there is an endpoint');
  }

  /** A connection of its own, for a member that may not be on the list. */
  open(endpoint: string): Connection {
    return connect(endpoint, this.#settings.credentials, channelOptions);
  }

  /** Turns to the next member, unless that was done already since `failed` was the current one. */
  turnFrom(failed: Connection): void {
    if (failed === this.current) this.#current = (this.#current + 1) % this.#connections.length;
  }

  /** The wait after attempt number `attempt`: none before each member was tried once. */
  async pause(attempt: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#settings;
    const round = attempt - this.#connections.length + 1;
    if (round >= 1) await clock.sleep(backOffDelay(retry, round, random), signal);
  }

  /**
   * Calls member after member until one answers, for `callBudget`. What is not `repeatable` is made
   * again only where it certainly had no effect.
   */
  async call<Reply>(
    attempt: Attempt<Reply>,
    repeatable: boolean,
    revision?: Revision,
  ): Promise<Result<Reply, Failure>> {
    const { clock } = this.#settings;
    const until = clock.now() + callBudget;
    for (let count = 1; ; count += 1) {
      if (this.closed.aborted) return fail(databaseUnavailable('the connection was closed'));
      const connection = this.current;
      const left = Math.max(until - clock.now(), 1);
      const result = await attempt(connection, this.settings(milliseconds(left)));
      if (result.ok) return result;
      const verdict = judge(result.error, revision);
      if (verdict.kind === 'failure') return fail(verdict.failure);
      this.turnFrom(connection);
      const why = `${connection.address}: ${verdict.why}`;
      if (!repeatable && !verdict.hadNoEffect) return fail(databaseUnavailable(why));
      await this.pause(count, this.closed);
      if (clock.now() >= until) return fail(databaseUnavailable(why));
    }
  }

  /** What each call says: members without a leader are to refuse it rather than wait. */
  settings(left: Milliseconds): CallSettings {
    const timeout = milliseconds(Math.min(left, attemptTimeout));
    return { timeout, metadata: requireLeader(), signal: this.closed };
  }

  close(): void {
    this.#closed.abort();
    for (const connection of this.#connections) connection.close();
  }
}

/** etcd's `clientv3.WithRequireLeader`: a member that lost the leader ends the call. */
export function requireLeader(): Metadata {
  const metadata = new Metadata();
  metadata.set('hasleader', 'true');
  return metadata;
}
