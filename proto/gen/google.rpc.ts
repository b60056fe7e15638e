// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType } from '../codec.ts';
import type * as google_protobuf from './google.protobuf.ts';

/** An error as it is carried in the trailer "grpc-status-details-bin". */
export interface Status {
  /** The gRPC status code, such as 5 for NOT_FOUND. */
  readonly code: number;
  /** A sentence for the operator. */
  readonly message: string;
  /**
   * An ErrorInfo always; a ResourceInfo where the error is about one resource; a BadRequest where
   * fields of the request are wrong.
   */
  readonly details: readonly google_protobuf.Any[];
}
export const Status: MessageType<Status> = { name: 'google.rpc.Status', file: 'google/rpc/status.proto' };

/** The machine-readable cause. */
export interface ErrorInfo {
  /** One of the closed set of reasons: flotilla.pool.v1.Reason without its prefix. */
  readonly reason: string;
  /** Always "flotilla". */
  readonly domain: string;
  /** "remedy": what to do next, as a sentence. */
  readonly metadata: Readonly<Record<string, string>>;
}
export const ErrorInfo: MessageType<ErrorInfo> = { name: 'google.rpc.ErrorInfo', file: 'google/rpc/status.proto' };

/** The resource that the error is about. */
export interface ResourceInfo {
  /** "vm", "host", "operation", "sr", "vdi", "network", "domain", "node". */
  readonly resourceType: string;
  /** Its name or id, as the request gave it. */
  readonly resourceName: string;
  /** Not used. */
  readonly owner: string;
  /** What about the resource was in the way. */
  readonly description: string;
}
export const ResourceInfo: MessageType<ResourceInfo> = { name: 'google.rpc.ResourceInfo', file: 'google/rpc/status.proto' };

/** The fields of the request that were refused. */
export interface BadRequest {
  readonly fieldViolations: readonly BadRequest_FieldViolation[];
}
export const BadRequest: MessageType<BadRequest> = { name: 'google.rpc.BadRequest', file: 'google/rpc/status.proto' };

export interface BadRequest_FieldViolation {
  /** Path to the field: "vm.disks[0].size". */
  readonly field: string;
  /** Why its value was refused, and what is accepted. */
  readonly description: string;
}
export const BadRequest_FieldViolation: MessageType<BadRequest_FieldViolation> = { name: 'google.rpc.BadRequest.FieldViolation', file: 'google/rpc/status.proto' };
