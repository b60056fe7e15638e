import { createHash } from 'node:crypto';
import type { DomainUuid } from '../../../../hypervisor/port.ts';

/**
 * The UUID of a host's service guest: always the same one, so that whoever supervises it finds it
 * running, and Xen refuses a second one. Of RFC 9562's version 8: 122 bits of a SHA-256.
 */
export function guestUuid(hostId: string, service: string): DomainUuid {
  const digest = createHash('sha256').update(`flotilla service guest\0${hostId}\0${service}`);
  const octets = digest.digest().subarray(0, 16);
  octets.writeUInt8(0x80 | (octets.readUInt8(6) & 0x0f), 6);
  octets.writeUInt8(0x80 | (octets.readUInt8(8) & 0x3f), 8);
  const hex = octets.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return `${parts.join('-')}-${hex.slice(20)}` as DomainUuid;
}

/** The name of a host's service guest, as `xl list` shows it. */
export function guestName(service: string): string {
  return `flotilla-${service}`;
}
