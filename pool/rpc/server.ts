import { isIPv4, isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { serviceDefinition } from '../../proto/codec.ts';
import { addHealth } from '../../proto/health.ts';
import { addReflection } from '../../proto/reflection.ts';
import { addService } from '../../proto/server.ts';
import { type Callers, callersOf } from '../callers.ts';
import type { Failure } from '../failure.ts';
import {
  adaptDuplex,
  adaptStream,
  adaptUnary,
  type Duplex,
  type Stream,
  type Unary,
} from './adapt.ts';
import type { Mounted, RpcCall } from './handler.ts';

/** How long calls may take to end when the server closes, before they are cut off. */
const closeGrace = milliseconds(3_000);

/** What to serve, and where. */
export interface ServeSettings {
  /** HOST:PORT; port 0: any that is free. */
  readonly listen: string;
  /** Null: plain text, on a loopback address only. */
  readonly credentials: ServerCredentials | null;
  /** The name of the host that serves, some of whose services may call (`pool/callers.ts`). */
  readonly host?: string;
  readonly services: readonly Mounted[];
}

/** A server that serves. */
export interface RpcServer {
  /** HOST:PORT, with the port that it really has. */
  readonly address: string;
  /** Tells `grpc.health.v1` whether the services serve: from the start they do. */
  setServing(isServing: boolean): void;
  /** Ends calls, the ones that stream with UNAVAILABLE, and stops listening. */
  close(): Promise<void>;
}

/** Serves services to those who may call them, with grpc.health.v1 and reflection for everybody. */
export async function serve(settings: ServeSettings): Promise<Result<RpcServer, Failure>> {
  const { listen, credentials, services } = settings;
  const callers = callersOf(settings.host);
  const host = hostOf(listen);
  if (host === null) return fail(badAddress(listen));
  if (credentials === null && !isLoopback(host)) return fail(plainTextRefused(listen));
  const closing = new AbortController();
  const server = new Server({
    'grpc.max_receive_message_length': bounds.messageSize,
    'grpc.max_send_message_length': bounds.messageSize,
  });
  const setServing = addHealth(
    server,
    services.map(({ type }) => type.name),
  );
  setServing(true);
  for (const mounted of services) add(server, mounted, callers, closing.signal);
  addReflection(
    server,
    services.map(({ type }) => type),
  );
  const bound = await bind(server, listen, credentials ?? ServerCredentials.createInsecure());
  if (!bound.ok) return bound;
  return ok({
    address: `${listen.slice(0, listen.lastIndexOf(':'))}:${bound.value}`,
    setServing,
    close: async () => {
      setServing(false);
      closing.abort();
      await ended(server);
    },
  });
}

function add(
  server: Server,
  { type, handlers }: Mounted,
  callers: Callers,
  closing: AbortSignal,
): void {
  const adapted: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(serviceDefinition(type))) {
    const handler = handlers[name];
    if (handler === undefined) continue;
    if (method.requestStream)
      adapted[name] = adaptDuplex(forCallers(callers, handler as Duplex), closing);
    else if (method.responseStream)
      adapted[name] = adaptStream(forCallers(callers, handler as Stream), closing);
    else adapted[name] = adaptUnary(forCallers(callers, handler as Unary), closing);
  }
  addService(server, type, adapted);
}

/** A handler that hears only of calls by those who may make them. The call is what it is given last. */
function forCallers<Given extends [...unknown[], RpcCall], Answer>(
  callers: Callers,
  handler: (...given: Given) => Promise<Result<Answer, Failure>>,
): (...given: Given) => Promise<Result<Answer, Failure>> {
  return async (...given) => {
    const { identity, method } = given[given.length - 1] as RpcCall;
    const allowed = callers(identity, method);
    return allowed.ok ? handler(...given) : allowed;
  };
}

function bind(
  server: Server,
  listen: string,
  credentials: ServerCredentials,
): Promise<Result<number, Failure>> {
  return new Promise((resolve) => {
    server.bindAsync(listen, credentials, (error, port) => {
      resolve(error === null ? ok(port) : fail(cannotListen(listen, error.message)));
    });
  });
}

async function ended(server: Server): Promise<void> {
  const patience = new AbortController();
  const { signal } = patience;
  const gracefully = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  await Promise.race([gracefully, delay(closeGrace, undefined, { signal }).catch(() => {})]);
  patience.abort();
  server.forceShutdown();
}

/** The host of HOST:PORT; null where it is not of that form. */
function hostOf(listen: string): string | null {
  const match = /^(?:\[([0-9a-f:]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(listen);
  return match === null || Number(match[3]) > 65_535 ? null : (match[1] ?? match[2] ?? null);
}

/** Whether packets to this host never leave the machine. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  if (isIPv4(host)) return host.startsWith('127.');
  return isIPv6(host) && /^(?:0*:)*0*1$/.test(host);
}

function badAddress(listen: string): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `"${listen}" is not an address to listen on`,
    remedy: 'Write HOST:PORT, such as 127.0.0.1:7421 or [::1]:7421; port 0 takes a free one.',
    field: 'listen',
  };
}

function plainTextRefused(listen: string): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `${listen} can be reached from other machines, and there is no certificate`,
    remedy: 'Give tls.ca, tls.certificate and tls.key, or listen on 127.0.0.1.',
    field: 'listen',
  };
}

function cannotListen(listen: string, why: string): Failure {
  return {
    reason: 'SERVICE_UNAVAILABLE',
    message: `cannot listen on ${listen}: ${why}`,
    remedy: 'Stop what listens there, or choose another address.',
    field: 'listen',
  };
}
