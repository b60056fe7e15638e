import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
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
  const health = new HealthImplementation();
  const tell = () => {
    const serving = member.replica.status().leader !== null;
    for (const name of ['', ...services])
      health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  tell();
  health.addToServer(server);
  return member.replica.onStatus(tell);
}
