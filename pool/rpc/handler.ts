import type { Result } from '../../base/result.ts';
import type { Input, MethodShape, ServiceType } from '../../proto/codec.ts';
import type { Failure } from '../failure.ts';

/** What a handler knows of the call that it answers. */
export interface RpcCall {
  /** `/flotilla.vm.v1.VmService/StartVm`. */
  readonly method: string;
  /** Who calls, by the client certificate's common name (`host-1/storage`); null without TLS. */
  readonly identity: string | null;
  /** Aborts when the caller is gone, the deadline has passed, or the server closes. */
  readonly signal: AbortSignal;
}

/** A call that is answered with a stream. */
export interface StreamCall<Response> extends RpcCall {
  /**
   * Sends one message. Resolves when there is room for the next: wait for it. It resolves at once
   * when the call is over; `signal` tells.
   */
  send(message: Input<Response>): Promise<void>;
}

/** A call with a stream in each direction. */
export interface DuplexCall<Request, Response> extends StreamCall<Response> {
  /** What the caller sends, one at a time; ends when the caller ends it or the call is over. */
  readonly requests: AsyncIterable<Request>;
}

/** The handler of one method. What it throws is a bug: the process crashes. */
export type RpcHandler<Method extends MethodShape> = Method['kind'] extends 'unary'
  ? (
      request: Method['request'],
      call: RpcCall,
    ) => Promise<Result<Input<Method['response']>, Failure>>
  : Method['kind'] extends 'server-stream'
    ? (
        request: Method['request'],
        call: StreamCall<Method['response']>,
      ) => Promise<Result<void, Failure>>
    : (call: DuplexCall<Method['request'], Method['response']>) => Promise<Result<void, Failure>>;

/** Handlers of a service's methods. What is left out answers UNIMPLEMENTED. */
export type RpcHandlers<Shape> = {
  readonly [Name in keyof Shape]?: Shape[Name] extends MethodShape
    ? RpcHandler<Shape[Name]>
    : never;
};

/** A service with its handlers, as `serve` mounts it. `mount` makes one. */
export interface Mounted {
  readonly type: ServiceType<unknown>;
  readonly handlers: Readonly<Record<string, unknown>>;
}

/** Puts a service together with its handlers. */
export function mount<Shape>(type: ServiceType<Shape>, handlers: RpcHandlers<Shape>): Mounted {
  const { name, file, methods } = type;
  return { type: { name, file, methods }, handlers };
}
