import type { handleUnaryCall } from '@grpc/grpc-js';
import type { Input } from '../../../proto/codec.ts';
import type { Served } from './failures.ts';

/**
 * Makes a gRPC handler of a function that answers with a value or a failure. A caller whose
 * deadline has passed is not answered; grpc-js has told it already.
 */
export function unary<Request, Response>(
  serve: (request: Request) => Promise<Served<Input<Response>>> | Served<Input<Response>>,
): handleUnaryCall<Request, Input<Response>> {
  return async (call, reply) => {
    const served = await serve(call.request);
    if (served.ok) reply(null, served.value);
    else reply({ code: served.error.code, details: served.error.message });
  };
}
