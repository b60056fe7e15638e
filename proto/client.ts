import {
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  Client as GrpcClient,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { unreachable } from '../base/assert.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Milliseconds } from '../base/units.ts';
import {
  type Input,
  type MethodKind,
  type MethodShape,
  type ServiceType,
  serviceDefinition,
} from './codec.ts';

/** What a caller may say of one call. */
export interface CallSettings {
  /** From now. A unary call without it waits for ever: give one. */
  readonly timeout?: Milliseconds | undefined;
  /** Aborting cancels the call. */
  readonly signal?: AbortSignal | undefined;
  readonly metadata?: Metadata | undefined;
}

/** The call of one method, by its kind. A unary call's failure is a value, never thrown. */
export type Call<Method extends MethodShape> = Method['kind'] extends 'unary'
  ? (
      request: Input<Method['request']>,
      settings?: CallSettings,
    ) => Promise<Result<Method['response'], ServiceError>>
  : Method['kind'] extends 'server-stream'
    ? (
        request: Input<Method['request']>,
        settings?: CallSettings,
      ) => ClientReadableStream<Method['response']>
    : (settings?: CallSettings) => ClientDuplexStream<Input<Method['request']>, Method['response']>;

/** A service's methods as functions. The contracts have no client-streaming method. */
export type Client<Shape> = {
  readonly [Name in keyof Shape]: Shape[Name] extends MethodShape ? Call<Shape[Name]> : never;
};

/** One connection to a server, which any number of typed clients share. */
export interface Connection {
  client<Shape>(type: ServiceType<Shape>): Client<Shape>;
  /** HOST:PORT or unix:PATH. */
  readonly address: string;
  close(): void;
}

/**
 * Milliseconds between attempts to connect: whoever comes back is found within a second. By gRPC's own measure these
 * pauses grow to two minutes, and what is called meanwhile fails with why the last attempt did.
 */
const reconnects: ChannelOptions = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
};

/** Opens a connection lazily: nothing is sent before the first call. */
export function connect(
  address: string,
  credentials: ChannelCredentials,
  options: ChannelOptions = {},
): Connection {
  const channel = new GrpcClient(address, credentials, { ...reconnects, ...options });
  return {
    address,
    client: (type) => typedClient(channel, type),
    close: () => channel.close(),
  };
}

function typedClient<Shape>(channel: GrpcClient, type: ServiceType<Shape>): Client<Shape> {
  const calls: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(serviceDefinition(type)))
    calls[name] = call(channel, method);
  return calls as Client<Shape>;
}

function kindOf(method: MethodDefinition<object, object>): MethodKind {
  if (method.requestStream) return method.responseStream ? 'bidi-stream' : 'client-stream';
  return method.responseStream ? 'server-stream' : 'unary';
}

function call(channel: GrpcClient, method: MethodDefinition<object, object>): unknown {
  const { path, requestSerialize, responseDeserialize } = method;
  const kind = kindOf(method);
  switch (kind) {
    case 'unary':
      return (request: object, settings: CallSettings = {}) =>
        new Promise<Result<object, ServiceError>>((resolve) => {
          const started = channel.makeUnaryRequest(
            path,
            requestSerialize,
            responseDeserialize,
            request,
            settings.metadata ?? new Metadata(),
            callOptions(settings),
            (error, response) => {
              settings.signal?.removeEventListener('abort', abort);
              resolve(error === null ? ok(response as object) : fail(error));
            },
          );
          const abort = () => started.cancel();
          onAbort(settings.signal, abort);
        });
    case 'server-stream':
      return (request: object, settings: CallSettings = {}) => {
        const stream = channel.makeServerStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          settings.metadata ?? new Metadata(),
          callOptions(settings),
        );
        cancelOnAbort(settings.signal, stream);
        return stream;
      };
    case 'client-stream':
    case 'bidi-stream':
      return (settings: CallSettings = {}) => {
        const stream = channel.makeBidiStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          settings.metadata ?? new Metadata(),
          callOptions(settings),
        );
        cancelOnAbort(settings.signal, stream);
        return stream;
      };
    default:
      return unreachable(kind);
  }
}

function onAbort(signal: AbortSignal | undefined, abort: () => void): void {
  if (signal === undefined) return;
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
}

/** The listener goes with the stream: a signal may outlive any number of streams. */
function cancelOnAbort(
  signal: AbortSignal | undefined,
  stream: { cancel(): void; once(event: 'close', listener: () => void): unknown },
): void {
  const abort = () => stream.cancel();
  onAbort(signal, abort);
  stream.once('close', () => signal?.removeEventListener('abort', abort));
}

function callOptions(settings: CallSettings): CallOptions {
  return settings.timeout === undefined ? {} : { deadline: Date.now() + settings.timeout };
}
