import { join } from 'node:path';
import { milliseconds } from '../../base/units.ts';
import { operatorIdentity, serviceIdentity } from '../../pool/access.ts';
import { issue } from '../../pool/identity/authority.ts';
import { openAuthority, writeIdentity } from '../../pool/identity/files.ts';
import { serviceNames } from '../../pool/records/host.ts';
import type { PoolChoice } from './pool-choice.ts';

/**
 * Makes the pool's authority where it is missing, and issues every identity anew: certificates are
 * short-lived, and a start is the moment to renew them.
 */
export async function issueIdentities(directory: string, choice: PoolChoice): Promise<void> {
  const now = milliseconds(Date.now());
  const authority = await openAuthority(join(directory, 'authority'), choice.name, now);
  const operator = await issue(authority, { name: operatorIdentity, hosts: [] }, now);
  await writeIdentity(operatorDirectory(directory), 'operator', operator);
  for (const host of choice.hosts) {
    for (const service of serviceNames) {
      const guest = choice.guests?.guests.find((each) => each.service === service);
      // A guest may not pass for a service of the control domain, whose address its network could take.
      const hosts = guest === undefined ? [host.address, host.name] : guest.address.split('/', 1);
      const name = serviceIdentity(host, service);
      const identity = await issue(authority, { name, hosts }, now);
      await writeIdentity(join(directory, host.name, 'identity'), service, identity);
    }
  }
}

/** Where the CLI finds who it is. */
function operatorDirectory(directory: string): string {
  return join(directory, 'identity');
}
