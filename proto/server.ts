import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Server,
} from '@grpc/grpc-js';
import { type Input, type MethodShape, type ServiceType, serviceDefinition } from './codec.ts';

/** The handler of one method, as grpc-js calls it. */
export type Handler<Method extends MethodShape> = Method['kind'] extends 'unary'
  ? handleUnaryCall<Method['request'], Input<Method['response']>>
  : Method['kind'] extends 'server-stream'
    ? handleServerStreamingCall<Method['request'], Input<Method['response']>>
    : handleBidiStreamingCall<Method['request'], Input<Method['response']>>;

/** Handlers for some or all methods of a service. What is left out answers UNIMPLEMENTED. */
export type Handlers<Shape> = {
  readonly [Name in keyof Shape]?: Shape[Name] extends MethodShape ? Handler<Shape[Name]> : never;
};

/** Makes `server` serve a service of the contracts. */
export function addService<Shape>(
  server: Server,
  type: ServiceType<Shape>,
  handlers: Handlers<Shape>,
): void {
  server.addService(serviceDefinition(type), handlers as Parameters<Server['addService']>[1]);
}
