import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { milliseconds } from '../../../base/units.ts';
import { type Connection, connect } from '../../../proto/client.ts';

/** Longest wait for one attempt: long enough for an election, short beside a fault. */
export const attempt = { timeout: milliseconds(1000) };

/** Waits between attempts while nobody serves, so that a fault is not drowned in refusals. */
export const pause = 30;

/** A member's connection that comes back soon after the member does. */
export function connectTo(endpoint: string, credentials: ChannelCredentials): Connection {
  return connect(endpoint, credentials, {
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 200,
    'grpc.use_local_subchannel_pool': 1,
  });
}

/** What says that a request had no effect and never will. */
const refusals: readonly RegExp[] = [
  /^etcdserver: no leader$/,
  /^etcdserver: server stopped$/,
  /^etcdserver: too many requests$/,
  /^etcdserver: mvcc: database space exceeded$/,
  // grpc-js: the request was not sent.
  /^No connection established/,
];

/** Whether a call certainly had no effect. Everything else may have had one, or have it later. */
export function isRefusal(error: ServiceError): boolean {
  return (
    error.code !== status.DEADLINE_EXCEEDED && refusals.some((words) => words.test(error.details))
  );
}

/** What says that a call may be served later: an election, or a busy machine. */
const passing = /UNAVAILABLE|DEADLINE_EXCEEDED/;

/** After this long without an answer something is wrong. */
const servedMax = 60_000;

/** What a call that only reads, or may be repeated, answers once it is served. */
export async function served<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  const until = performance.now() + servedMax;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!passing.test(`${error}`) || performance.now() > until) throw error;
      await delay(pause);
    }
  }
}
