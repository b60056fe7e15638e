import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { present } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { type Client, type Connection, connect } from '../../proto/client.ts';
import { PoolService } from '../../proto/gen/flotilla.pool.v1.ts';
import { VmService } from '../../proto/gen/flotilla.vm.v1.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import type { KnownHost, PoolLocation } from './find-pool.ts';
import { isLoopback, reach, type SilentHost } from './reachability.ts';

/** One host's API. */
export interface HostClients {
  readonly host: KnownHost;
  readonly vm: Client<VmService>;
  readonly pool: Client<PoolService>;
}

/** A pool that commands talk to: every host of it can answer, and the one that did last is asked first. */
export interface PoolConnection {
  readonly location: PoolLocation;
  /** The hosts, the one to ask first at the front. There is at least one. */
  candidates(): readonly HostClients[];
  /** The host answered: it is asked first from now on. */
  answered(host: KnownHost): void;
  /** The host did not answer: it is asked last from now on. */
  wasSilent(host: KnownHost, why: string): void;
  /** Hosts that were asked and did not answer. */
  silent(): readonly SilentHost[];
  /** What is left of `--timeout`; undefined where there is none. Never below 0. */
  remaining(): Milliseconds | undefined;
  close(): void;
}

/** Signs of life of a connection: a host that lost its power is noticed within their sum. */
const channelOptions = {
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 4000,
  // A host that restarts is found again soon; by default the pauses grow to two minutes.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2000,
} as const;

/** Connects to the first host that can be reached. The failure says why each of them could not. */
export async function connectPool(
  location: PoolLocation,
  clock: { now(): Milliseconds; timeout: Milliseconds | undefined },
): Promise<Result<PoolConnection, Problem>> {
  const channel = await channelCredentials(location);
  if (!channel.ok) return channel;
  const { first, silent: dead } = await reach(location.hosts);
  if (first === undefined) return fail(unreachable(location, dead));
  const began = clock.now();
  const opened = new Map<KnownHost, Connection & HostClients>();
  const silent = new Map<KnownHost, string>(dead.map(({ host, why }) => [host, why]));
  let order = [first, ...location.hosts.filter((host) => host !== first)];

  const clientsOf = (host: KnownHost): HostClients => {
    const known = opened.get(host);
    if (known !== undefined) return known;
    const connection = connect(host.address, channel.value, channelOptions);
    const clients = {
      ...connection,
      host,
      vm: connection.client(VmService),
      pool: connection.client(PoolService),
    };
    opened.set(host, clients);
    return clients;
  };

  return ok({
    location,
    candidates: () => {
      const dead = order.filter((host) => silent.has(host));
      return [...order.filter((host) => !silent.has(host)), ...dead].map(clientsOf);
    },
    answered: (host) => {
      silent.delete(host);
      order = [host, ...order.filter((other) => other !== host)];
    },
    wasSilent: (host, why) => {
      silent.set(host, why);
      order = [...order.filter((other) => other !== host), host];
    },
    silent: () => [...silent].map(([host, why]) => ({ host, why })),
    remaining: () =>
      clock.timeout === undefined
        ? undefined
        : milliseconds(Math.max(0, began + clock.timeout - clock.now())),
    close: () => {
      for (const connection of opened.values()) connection.close();
    },
  });
}

async function channelCredentials(
  location: PoolLocation,
): Promise<Result<ChannelCredentials, Problem>> {
  const { identity } = location;
  if (identity === null) {
    const remote = location.hosts.find((host) => !isLoopback(host.address));
    if (remote === undefined) return ok(credentials.createInsecure());
    return fail(
      wrongUsage(
        `${remote.address} is another machine, and plain text is for this machine only`,
        'name the directory of ca.pem, certificate.pem and key.pem with --identity or FLOTILLA_IDENTITY',
      ),
    );
  }
  // Loaded when it is needed: most of the time that a short command takes is loading code.
  const { readCredentials } = await import('../../pool/identity/credentials.ts');
  const read = await readCredentials(identity);
  if (read.ok) return ok(read.value.client);
  return fail(wrongUsage(read.error.message, read.error.remedy));
}

/** No host of the pool answers: each of them, and why. */
export function unreachable(location: PoolLocation, silent: readonly SilentHost[]): Problem {
  const width = Math.max(...silent.map(({ host }) => host.name.length));
  const lines = silent.map(({ host, why }) =>
    host.name === host.address
      ? `${host.name}: ${why}`
      : `${host.name.padEnd(width)}  ${host.address}  ${why}`,
  );
  const local = present(location.hosts[0], 'a pool without hosts').address;
  return {
    exitCode: exitCodes.unreachable,
    message: `no host of the pool ${location.name} answers`,
    details: lines,
    remedy: isLoopback(local)
      ? 'start the pool with `flotilla up`, or name another one with --pool'
      : 'see that its hosts are up and that this machine may reach them, or name another pool with --pool',
  };
}
