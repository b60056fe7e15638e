import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelCredentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { type CallSettings, type Connection, connect } from '../../proto/client.ts';
import { outOfTime } from '../connection/call.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { etcdFailure } from './errors.ts';

/** One call to one member. */
export type Attempt<Response> = (
  to: Connection,
  settings: CallSettings,
) => Promise<Result<Response, ServiceError>>;

/** How a call is made. */
export interface CallRules {
  /** It changes something: it is made again only where it certainly had no effect. */
  readonly changes?: boolean;
  /** How long a database without a leader is asked again: an election takes a second or two. */
  readonly patience?: Milliseconds;
  /** Nobody is told that the database must be waited for. */
  readonly quiet?: boolean;
  /** What one member has for its answer. */
  readonly timeout?: Milliseconds;
  /** Only this member is asked. */
  readonly at?: string | undefined;
}

/** The members of a pool database, any of which can be asked. */
export interface Database {
  /** What it is called in messages. */
  readonly name: string;
  /** Members of the pool's own, or a cluster of etcd that the pool uses. */
  readonly engine: 'consensus' | 'etcd';
  /** HOST:PORT of the members that are known, the one to ask first at the front. */
  endpoints(): readonly string[];
  /** What the pool's file calls the member there; empty where it does not know it. */
  nameAt(address: string): string;
  /** Addresses that a member told: they are tried after those that were known. */
  learn(addresses: readonly string[]): void;
  /** The connection to a member, which ends with this. */
  open(address: string): Connection;
  call<Response>(attempt: Attempt<Response>, rules?: CallRules): Promise<Result<Response, Problem>>;
  /** What is left of `--timeout`; undefined where there is none. Never below 0. */
  remaining(): Milliseconds | undefined;
  close(): void;
}

/** What whoever connects says of it. */
export interface DatabaseSettings {
  readonly name: string;
  readonly engine: Database['engine'];
  /** At least one. */
  readonly endpoints: readonly string[];
  /** Names by endpoint, as far as they are known. */
  readonly names: ReadonlyMap<string, string>;
  readonly credentials: ChannelCredentials;
  readonly timeout: Milliseconds | undefined;
  now(): Milliseconds;
  /** Told, once, when the database must be waited for. */
  onWait(problem: Problem): void;
}

/** What one member has for an answer: a change is on two disks in a small part of it. */
const attemptTimeout = milliseconds(5000);
/** How long a database is asked again that has no leader. */
const electionPatience = milliseconds(10_000);
/** Between two rounds over the members. */
const pause = milliseconds(300);

const channelOptions = {
  // A piece of a snapshot, or a list of members, is far below.
  'grpc.max_receive_message_length': 16 * 2 ** 20,
} as const;

/** Opens connections lazily: nothing is sent before the first call. */
export function openDatabase(settings: DatabaseSettings): Database {
  const began = settings.now();
  const connections = new Map<string, Connection>();
  let order = [...new Set(settings.endpoints)];
  let told = false;
  const remaining = (): Milliseconds | undefined =>
    settings.timeout === undefined
      ? undefined
      : milliseconds(Math.max(0, began + settings.timeout - settings.now()));
  const open = (address: string): Connection => {
    const known = connections.get(address);
    if (known !== undefined) return known;
    const made = connect(address, settings.credentials, channelOptions);
    connections.set(address, made);
    return made;
  };

  const round = async <Response>(
    attempt: Attempt<Response>,
    rules: CallRules,
  ): Promise<Result<Response, RoundFailure>> => {
    const silent: string[] = [];
    let last: RoundFailure | undefined;
    for (const address of rules.at === undefined ? order : [rules.at]) {
      const timeout = milliseconds(
        Math.min(rules.timeout ?? attemptTimeout, remaining() ?? Number.POSITIVE_INFINITY),
      );
      if (timeout <= 0) return fail({ again: false, problem: outOfTime() });
      const result = await attempt(open(address), { timeout, metadata: requireLeader() });
      if (result.ok) {
        if (order.includes(address)) order = [address, ...order.filter((each) => each !== address)];
        return result;
      }
      const failure = etcdFailure(result.error);
      switch (failure.kind) {
        case 'silent':
          silent.push(`${address}  ${failure.why}`);
          if (rules.changes === true && !failure.turnedAway)
            return fail({ again: false, problem: unknownOutcome(address, failure.why) });
          break;
        case 'elsewhere':
          last ??= { again: false, problem: failure.problem };
          break;
        case 'not-now':
          last = { again: true, problem: failure.problem };
          break;
        case 'uncertain':
          if (rules.changes === true)
            return fail({
              again: false,
              problem: unknownOutcome(address, failure.problem.message),
            });
          last = { again: true, problem: failure.problem };
          break;
        case 'refused':
          return fail({ again: false, problem: failure.problem });
      }
    }
    return fail(last ?? { again: false, problem: allSilent(settings.name, silent) });
  };

  return {
    name: settings.name,
    engine: settings.engine,
    endpoints: () => order,
    nameAt: (address) => settings.names.get(address) ?? '',
    learn: (addresses) => {
      order = [...new Set([...order, ...addresses])];
    },
    open,
    call: async (attempt, rules = {}) => {
      const givesUpAt = performance.now() + (rules.patience ?? electionPatience);
      for (;;) {
        const done = await round(attempt, rules);
        if (done.ok) return ok(done.value);
        if (!done.error.again || performance.now() >= givesUpAt) return fail(done.error.problem);
        if (!told && rules.quiet !== true) {
          settings.onWait(done.error.problem);
          told = true;
        }
        await sleep(pause);
      }
    },
    remaining,
    close: () => {
      for (const connection of connections.values()) connection.close();
    },
  };
}

interface RoundFailure {
  /** Whether the same may succeed in a moment. */
  readonly again: boolean;
  readonly problem: Problem;
}

/** etcd's `clientv3.WithRequireLeader`: a member without a leader says so at once. */
function requireLeader(): Metadata {
  const metadata = new Metadata();
  metadata.set('hasleader', 'true');
  return metadata;
}

function unknownOutcome(address: string, why: string): Problem {
  return {
    exitCode: exitCodes.unreachable,
    message: `whether it was done is not known: ${address} was asked, and ${why}`,
    remedy: 'look with `flotilla pool members` before you do it again',
    reason: 'DATABASE_UNAVAILABLE',
  };
}

function allSilent(name: string, details: readonly string[]): Problem {
  return {
    exitCode: exitCodes.unreachable,
    message: `no member of the database of ${name} answers`,
    details,
    remedy:
      'start the members, or name those that run with --endpoints; where TLS is spoken, name who you are with --identity',
    reason: 'DATABASE_UNAVAILABLE',
  };
}
