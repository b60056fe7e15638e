import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { present } from '../../base/assert.ts';
import { isLoopback } from '../../base/loopback.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { type Client, type Connection, connect } from '../../proto/client.ts';
import { ImageService, PoolService, SupervisorService } from '../../proto/gen/flotilla.pool.v1.ts';
import { VmService } from '../../proto/gen/flotilla.vm.v1.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import type { KnownHost, PoolLocation } from './find-pool.ts';
import { reach, type SilentHost } from './reachability.ts';

/** One host's API. */
export interface HostClients {
  readonly host: KnownHost;
  readonly vm: Client<VmService>;
  readonly pool: Client<PoolService>;
  readonly image: Client<ImageService>;
  readonly supervisor: Client<SupervisorService>;
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
  /** Puts a host that can be reached at the front, where the one that answered was lost. */
  reconsider(): Promise<void>;
  /** Hosts that were asked and did not answer. */
  silent(): readonly SilentHost[];
  /** Nobody can answer just now, and the pool is asked again until it can: told once. */
  waits(problem: Problem): void;
  /** What is left of `--timeout`; undefined where there is none. Never below 0. */
  remaining(): Milliseconds | undefined;
  /** A connection to another service of the pool, at HOST:PORT. It ends with this one. */
  open(address: string): Connection;
  close(): void;
}

/** Signs of life of a connection: a host that lost its power is noticed within their sum. */
const channelOptions = {
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 4000,
} as const;

/** What whoever connects says of it. */
export interface ConnectionSettings {
  now(): Milliseconds;
  readonly timeout: Milliseconds | undefined;
  /** Told when the pool must be waited for. */
  onWait?(problem: Problem): void;
}

/** Connects to the first host that can be reached. The failure says why each of them could not. */
export async function connectPool(
  location: PoolLocation,
  settings: ConnectionSettings,
): Promise<Result<PoolConnection, Problem>> {
  const channel = await channelCredentials(location);
  if (!channel.ok) return channel;
  const { first, silent: dead } = await reach(location.hosts);
  if (first === undefined) return fail(unreachable(location, dead));
  const began = settings.now();
  let told = false;
  const connections = new Map<string, Connection>();
  const silent = new Map<KnownHost, string>(dead.map(({ host, why }) => [host, why]));
  const [rest, last] = [
    location.hosts.filter((host) => host !== first && !silent.has(host)),
    location.hosts.filter((host) => silent.has(host)),
  ];
  let order = [first, ...rest, ...last];

  const open = (address: string): Connection => {
    const connection = connections.get(address) ?? connect(address, channel.value, channelOptions);
    connections.set(address, connection);
    return connection;
  };
  const clientsOf = (host: KnownHost): HostClients => {
    const connection = open(host.address);
    return {
      host,
      vm: connection.client(VmService),
      pool: connection.client(PoolService),
      image: connection.client(ImageService),
      supervisor: connection.client(SupervisorService),
    };
  };
  const answered = (host: KnownHost): void => {
    silent.delete(host);
    order = [host, ...order.filter((other) => other !== host)];
  };
  const wasSilent = (host: KnownHost, why: string): void => {
    silent.set(host, why);
    order = [...order.filter((other) => other !== host), host];
  };

  return ok({
    location,
    candidates: () => order.map(clientsOf),
    answered,
    wasSilent,
    reconsider: async () => {
      const { first, silent: dead } = await reach(order);
      for (const { host, why } of dead) wasSilent(host, why);
      if (first !== undefined) answered(first);
    },
    silent: () => [...silent].map(([host, why]) => ({ host, why })),
    remaining: () =>
      settings.timeout === undefined
        ? undefined
        : milliseconds(Math.max(0, began + settings.timeout - settings.now())),
    waits: (problem) => {
      if (!told) settings.onWait?.(problem);
      told = true;
    },
    open,
    close: () => {
      for (const connection of connections.values()) connection.close();
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

/** Why a host does not answer whose port is open: TLS where we speak plain text, or the reverse. */
export const refusedIdentity = 'its port is open, but it does not take this identity';

/** No host of the pool answers: each of them, and why. */
export function unreachable(location: PoolLocation, silent: readonly SilentHost[]): Problem {
  const width = Math.max(...silent.map(({ host }) => host.name.length));
  const lines = silent.map(({ host, why }) =>
    host.name === host.address
      ? `${host.name}: ${why}`
      : `${host.name.padEnd(width)}  ${host.address}  ${why}`,
  );
  return {
    exitCode: exitCodes.unreachable,
    message: `no host of the pool "${location.name}" answers`,
    details: lines,
    remedy: silent.some(({ why }) => why === refusedIdentity)
      ? 'name the directory of the PEM files that the pool issued with --identity or FLOTILLA_IDENTITY'
      : howToReach(present(location.hosts[0], 'a pool without hosts')),
  };
}

function howToReach({ address }: KnownHost): string {
  return isLoopback(address)
    ? 'start the pool with `flotilla up`, or name another one with --pool'
    : 'see that its hosts are up and that this machine may reach them, or name another pool with --pool';
}
