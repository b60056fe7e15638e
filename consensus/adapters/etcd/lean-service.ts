import type {
  handleBidiStreamingCall,
  handleUnaryCall,
  Server,
  ServiceDefinition,
} from '@grpc/grpc-js';
import {
  type Input,
  type MethodShape,
  type ServiceType,
  serviceDefinition,
} from '../../../proto/codec.ts';
import type { Handlers } from '../../../proto/server.ts';
import type { Served } from './failures.ts';
import { boundRequests } from './request-bounds.ts';

/** The handler of one method, which answers with encoded messages where it likes. */
type LeanHandler<Method extends MethodShape> = Method['kind'] extends 'unary'
  ? handleUnaryCall<Method['request'], Input<Method['response']> | Buffer>
  : handleBidiStreamingCall<Method['request'], Input<Method['response']> | Buffer>;

/** Handlers for some or all methods of a service. What is left out answers UNIMPLEMENTED. */
export type LeanHandlers<Shape> = {
  readonly [Name in keyof Shape]?: Shape[Name] extends MethodShape
    ? LeanHandler<Shape[Name]>
    : never;
};

/** Makes `server` serve a service whose handlers may answer with bytes that are encoded already. */
export function addLeanService<Shape>(
  server: Server,
  type: ServiceType<Shape>,
  handlers: LeanHandlers<Shape>,
): void {
  const definition: ServiceDefinition = Object.fromEntries(
    Object.entries(boundRequests(serviceDefinition(type))).map(([name, method]) => {
      const encode = method.responseSerialize;
      const responseSerialize = (response: object) =>
        Buffer.isBuffer(response) ? response : encode(response);
      return [name, { ...method, responseSerialize }];
    }),
  );
  server.addService(definition, handlers as Parameters<Server['addService']>[1]);
}

/** Makes `server` serve a service, the requests of which are bounded before they are decoded. */
export function addBoundedService<Shape>(
  server: Server,
  type: ServiceType<Shape>,
  handlers: Handlers<Shape>,
): void {
  const definition = boundRequests(serviceDefinition(type));
  server.addService(definition, handlers as Parameters<Server['addService']>[1]);
}

/**
 * Makes a gRPC handler of a function that answers with a value or a failure. A caller whose
 * deadline has passed is not answered; grpc-js has told it already.
 */
export function unary<Request, Response>(
  serve: (request: Request) => Promise<Served<Response>> | Served<Response>,
): handleUnaryCall<Request, Response> {
  return async (call, reply) => {
    const served = await serve(call.request);
    if (served.ok) reply(null, served.value);
    else reply({ code: served.error.code, details: served.error.message });
  };
}
