import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChannelCredentials, makeClientConstructor } from '@grpc/grpc-js';
import { service as healthDefinition } from 'grpc-health-check';
import { milliseconds } from '../../base/units.ts';
import type { GuestServiceName } from '../../deploy/guest-image/services.ts';
import { writeDisk } from '../../deploy/image/disk.ts';
import type { TlsPaths } from '../../pool/configuration.ts';
import { issue, makeAuthority } from '../../pool/identity/authority.ts';
import { readCredentials } from '../../pool/identity/credentials.ts';
import { writeIdentity } from '../../pool/identity/files.ts';

/** Where a guest under QEMU is (boot/emulator.ts). */
const guestAddress = '10.0.2.15';

/** Where nobody listens: a service is told so at once, where what leaves the guest would be lost. */
const databaseAddress = '127.0.0.1:2379';

const hostId = '7a3b1d52-0c64-4f27-9a51-6d3c2b8e9f10';

/** What a service is given so that its image can be tried on an emulated machine, without Xen. */
export interface GuestTrial {
  /** A file that is linked in; null: the service needs none. */
  readonly configuration: string | null;
  /** Its data disk, with its keys; undefined: it has none. */
  readonly disk?: string;
  /** Where it listens in its guest; null: nowhere. */
  readonly port: number | null;
  /** What it says when it has come as far as it can without Xen, and without a pool. */
  readonly says: RegExp;
  /** That, in words. */
  readonly reaches: string;
  /** What a client of it proves who it is with. */
  readonly credentials: ChannelCredentials | null;
}

/** A service whose image runs in a machine without Xen: not that of a control domain. */
export type TriedService = Exclude<GuestServiceName, 'vm-lifecycle'>;

/** What each service says, and where it listens. */
const ends: Readonly<Record<TriedService, Pick<GuestTrial, 'port' | 'says' | 'reaches'>>> = {
  xenstore: { port: null, says: /cannot reach Xen here/, reaches: 'asks for Xen' },
  consensus: { port: 2379, says: /"msg":"serving"/, reaches: 'serves' },
  network: { port: 7423, says: /"msg":"serving"/, reaches: 'serves' },
  storage: { port: 7422, says: /"msg":"serving"/, reaches: 'serves' },
};

/** Makes what a service needs in a directory, which need not exist. */
export async function makeTrial(service: TriedService, directory: string): Promise<GuestTrial> {
  const end = ends[service];
  if (service === 'xenstore') return { ...end, configuration: null, credentials: null };
  const tree = join(directory, 'data');
  await mkdir(tree, { recursive: true });
  const paths = await writeKeys(tree);
  const inGuest = (path: string) => path.replace(tree, '/data');
  const tls = {
    ...{ ca: inGuest(paths.ca), certificate: inGuest(paths.certificate) },
    key: inGuest(paths.key),
  };
  const configuration = join(directory, `${service}.json`);
  await writeFile(configuration, JSON.stringify({ ...fieldsOf(service), tls }));
  const disk = join(directory, 'data.ext4');
  await writeDisk(tree, disk, { size: 128 * 2 ** 20, files: 256 });
  const credentials = await readCredentials(paths);
  if (!credentials.ok) throw new Error(credentials.error.message);
  return { ...end, configuration, disk, credentials: credentials.value.client };
}

async function writeKeys(tree: string): Promise<TlsPaths> {
  const now = milliseconds(Date.now());
  const authority = await makeAuthority('images', now);
  const identity = join(tree, 'identity');
  const issued = await issue(authority, { name: 'a', hosts: [] }, now);
  const paths = await writeIdentity(identity, 'a', issued);
  // The service's user of the guest is nobody here: it reads what everybody may read.
  await chmod(identity, 0o755);
  for (const path of Object.values(paths)) await chmod(path, 0o644);
  return paths;
}

function fieldsOf(service: Exclude<TriedService, 'xenstore'>): object {
  if (service === 'consensus')
    return {
      ...{ name: 'a', dataDir: '/data/consensus' },
      ...{ listenClient: '0.0.0.0:2379', listenPeer: '0.0.0.0:2380' },
      initialCluster: { a: `${guestAddress}:2380` },
    };
  const port = { network: 7423, storage: 7422 }[service];
  return {
    ...{ hostId, hostName: 'a', listen: `0.0.0.0:${port}`, store: [databaseAddress] },
    dataDir: `/data/${service}`,
  };
}

/** What grpc.health.v1 says of a server as a whole: `SERVING`. */
export async function healthOf(address: string, credentials: ChannelCredentials): Promise<string> {
  const Health = makeClientConstructor(healthDefinition, 'Health');
  const client = new Health(address, credentials);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  client.check?.({ service: '' }, (error: Error | null, reply: { status: string }) =>
    error === null ? resolve(reply.status) : reject(error),
  );
  return promise.finally(() => client.close());
}
