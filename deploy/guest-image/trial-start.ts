import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { milliseconds } from '../../base/units.ts';
import { issue, makeAuthority } from '../../pool/identity/authority.ts';
import { writeIdentity } from '../../pool/identity/files.ts';

/** Nobody listens there: what a service asks of the database it asks in vain. */
const database = '127.0.0.1:1';

const anyHost = '7a3b1d52-0c64-4f27-9a51-6d3c2b8e9f10';

/**
 * Writes what a service needs so that it serves on the building machine, by itself and on ports that are
 * free, into a directory: its keys and its configuration, the path of which is returned. Null for a command
 * that needs Xen before it serves.
 */
export async function trialConfiguration(
  command: string,
  directory: string,
): Promise<string | null> {
  const dataDir = join(directory, 'data');
  const fields = fieldsOf(command);
  if (fields === null) return null;
  await mkdir(dataDir);
  const now = milliseconds(Date.now());
  const authority = await makeAuthority('trial', now);
  const issued = await issue(authority, { name: 'a', hosts: [] }, now);
  const { ca, certificate, key } = await writeIdentity(join(directory, 'identity'), 'a', issued);
  const file = join(directory, 'configuration.json');
  await writeFile(file, JSON.stringify({ ...fields, dataDir, tls: { ca, certificate, key } }));
  return file;
}

function fieldsOf(command: string): object | null {
  const listen = '127.0.0.1:0';
  switch (command) {
    case 'consensus':
      return {
        ...{ name: 'a', listenClient: listen, listenPeer: listen },
        initialCluster: { a: database },
      };
    case 'network':
    case 'storage':
      return { hostId: anyHost, hostName: 'a', listen, store: [database] };
    default:
      return null;
  }
}
