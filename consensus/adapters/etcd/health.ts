import type { Server } from '@grpc/grpc-js';
import { addHealth as addServiceHealth } from '../../../proto/health.ts';
import type { EtcdMember } from './member.ts';

/**
 * Serves grpc.health.v1: the member, and each service of the given names, is SERVING while it knows
 * a leader. Returns what stops following the leader.
 */
export function addHealth(
  server: Server,
  member: EtcdMember,
  services: readonly string[],
): () => void {
  const setServing = addServiceHealth(server, services);
  const tell = () => setServing(member.replica.status().leader !== null);
  tell();
  return member.replica.onStatus(tell);
}
