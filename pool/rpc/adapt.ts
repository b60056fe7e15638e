import { setTimeout as delay } from 'node:timers/promises';
import {
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { bounds } from '../../base/bounds.ts';
import type { Result } from '../../base/result.ts';
import type { Failure } from '../failure.ts';
import type { DuplexCall, RpcCall, StreamCall } from './handler.ts';
import { callStatus } from './status.ts';

/** A handler of a method that takes one message and answers with one. */
export type Unary = (request: object, call: RpcCall) => Promise<Result<object, Failure>>;
/** A handler that answers with a stream. */
export type Stream = (request: object, call: StreamCall<object>) => Promise<Result<void, Failure>>;
/** A handler of two streams. */
export type Duplex = (call: DuplexCall<object, object>) => Promise<Result<void, Failure>>;

/** What calls of all kinds have. */
interface AnyCall extends Pick<ServerUnaryCall<object, object>, 'getPath' | 'getAuthContext'> {
  getDeadline(): Date | number;
  on(event: 'cancelled', listener: () => void): unknown;
}

/** What grpc-js answers itself where the caller gave a deadline. */
const deadlineExceeded = {
  code: status.DEADLINE_EXCEEDED,
  details: `the call took longer than ${bounds.defaultDeadline / 1000} s; give it a longer deadline`,
};

const closingDown: Failure = {
  reason: 'SERVICE_UNAVAILABLE',
  message: 'the service is closing',
  remedy: 'Call another host, or try again when it has started.',
};

/** A unary handler as grpc-js calls it. A call without a deadline gets the default one. */
export function adaptUnary(handler: Unary, closing: AbortSignal) {
  return (call: ServerUnaryCall<object, object>, respond: sendUnaryData<object>): void => {
    const over = new AbortController();
    const answer = async () => {
      const handled = handler(call.request, rpcCall(call, over, closing));
      const result = await (hasDeadline(call) ? handled : Promise.race([handled, expiry(over)]));
      over.abort();
      if (result === null) respond(deadlineExceeded);
      else if (result.ok) respond(null, result.value);
      else respond(callStatus(result.error));
    };
    void answer();
  };
}

/** A handler that answers with a stream, as grpc-js calls it. */
export function adaptStream(handler: Stream, closing: AbortSignal) {
  return (call: ServerWritableStream<object, object>): void => {
    const over = new AbortController();
    const common = rpcCall(call, over, closing);
    const send = (message: object) => sendTo(call, message, common.signal);
    const answer = async () => endStream(call, await handler(call.request, { ...common, send }));
    const endStream = endWith(closing, over);
    void answer();
  };
}

/** A handler of two streams, as grpc-js calls it. */
export function adaptDuplex(handler: Duplex, closing: AbortSignal) {
  return (call: ServerDuplexStream<object, object>): void => {
    const over = new AbortController();
    const common = rpcCall(call, over, closing);
    const send = (message: object) => sendTo(call, message, common.signal);
    const requests = requestsOf(call, common.signal);
    const endStream = endWith(closing, over);
    const answer = async () => endStream(call, await handler({ ...common, send, requests }));
    void answer();
  };
}

function rpcCall(call: AnyCall, over: AbortController, closing: AbortSignal): RpcCall {
  call.on('cancelled', () => over.abort());
  const name = call.getAuthContext().sslPeerCertificate?.subject.CN;
  return {
    method: call.getPath(),
    identity: typeof name === 'string' ? name : null,
    signal: AbortSignal.any([over.signal, closing]),
  };
}

function hasDeadline(call: AnyCall): boolean {
  const deadline = call.getDeadline();
  return deadline instanceof Date || Number.isFinite(deadline);
}

async function expiry(over: AbortController): Promise<null> {
  const { signal } = over;
  await delay(bounds.defaultDeadline, undefined, { signal }).catch(() => {});
  return null;
}

/** Resolves when the message has left for the transport, which is bounded, or the call is over. */
function sendTo(
  call: { write(message: object, written: () => void): boolean },
  message: object,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done, { once: true });
    call.write(message, done);
  });
}

/** A stream that the server's closing ends tells its reader to come back. */
function endWith(closing: AbortSignal, over: AbortController) {
  return (
    call: { destroyed: boolean; end(): unknown; emit(event: 'error', status: object): boolean },
    result: Result<void, Failure>,
  ): void => {
    over.abort();
    if (call.destroyed) return;
    const failure = result.ok ? null : result.error;
    if (failure !== null) call.emit('error', callStatus(failure));
    else if (closing.aborted) call.emit('error', callStatus(closingDown));
    else call.end();
  };
}

async function* requestsOf(
  call: ServerDuplexStream<object, object>,
  signal: AbortSignal,
): AsyncIterable<object> {
  try {
    for await (const message of call.iterator({ destroyOnReturn: false })) yield message;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
