// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType, ServiceType } from '../codec.ts';

/** Whether a server serves. */
export interface Health {
  /** A name that the server does not have is NOT_FOUND. */
  readonly check: {
    readonly kind: 'unary';
    readonly request: HealthCheckRequest;
    readonly response: HealthCheckResponse;
  };
  /** All names that the server has. */
  readonly list: {
    readonly kind: 'unary';
    readonly request: HealthListRequest;
    readonly response: HealthListResponse;
  };
  /** What is so now, and then each change. A name that the server does not have is SERVICE_UNKNOWN. */
  readonly watch: {
    readonly kind: 'server-stream';
    readonly request: HealthCheckRequest;
    readonly response: HealthCheckResponse;
  };
}
export const Health: ServiceType<Health> = {
  name: 'grpc.health.v1.Health',
  file: 'grpc/health/v1/health.proto',
  methods: {
    Check: 'unary',
    List: 'unary',
    Watch: 'server-stream',
  },
};

export interface HealthCheckRequest {
  /** The full name of a service; empty: the server as a whole. */
  readonly service: string;
}
export const HealthCheckRequest: MessageType<HealthCheckRequest> = { name: 'grpc.health.v1.HealthCheckRequest', file: 'grpc/health/v1/health.proto' };

export interface HealthCheckResponse {
  readonly status: HealthCheckResponse_ServingStatus;
}
export const HealthCheckResponse: MessageType<HealthCheckResponse> = { name: 'grpc.health.v1.HealthCheckResponse', file: 'grpc/health/v1/health.proto' };

export type HealthCheckResponse_ServingStatus =
  | 'UNKNOWN'
  | 'SERVING'
  | 'NOT_SERVING'
  | 'SERVICE_UNKNOWN';

export interface HealthListRequest {

}
export const HealthListRequest: MessageType<HealthListRequest> = { name: 'grpc.health.v1.HealthListRequest', file: 'grpc/health/v1/health.proto' };

export interface HealthListResponse {
  /** By the names of services. */
  readonly statuses: Readonly<Record<string, HealthCheckResponse>>;
}
export const HealthListResponse: MessageType<HealthListResponse> = { name: 'grpc.health.v1.HealthListResponse', file: 'grpc/health/v1/health.proto' };
