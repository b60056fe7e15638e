import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoDirectory, type ServiceType } from './codec.ts';

/**
 * Adds grpc.reflection.v1 (and v1alpha), so that `grpcurl` and the like can ask a server for its
 * contracts. Only the given services are told of.
 */
export function addReflection(server: Server, services: readonly ServiceType<unknown>[]): void {
  const files = [...new Set(services.map((service) => service.file))];
  const definition = loadSync(files, { includeDirs: [protoDirectory], keepCase: true });
  new ReflectionService(definition, {
    services: services.map((service) => service.name),
  }).addToServer(server);
}
