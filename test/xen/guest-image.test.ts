import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import { startGuest } from '../../deploy/guest-image/boot/guest-machine.ts';
import { buildGuestImage, type ImageRequest } from '../../deploy/guest-image/build.ts';
import { writeDisk } from '../../deploy/image/disk.ts';
import { etcdDatabase } from '../../pool/etcd/database.ts';
import { issue, makeAuthority } from '../../pool/identity/authority.ts';
import { readCredentials } from '../../pool/identity/credentials.ts';
import { writeIdentity } from '../../pool/identity/files.ts';
import { freeTcpPort } from './free-port.ts';
import { elapsedReport } from './progress.ts';

/** Guest images on an emulated machine, without Xen: each comes as far as it can there. */
let scratch: string;

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'flotilla-images-'));
});

test.after.always(() => rm(scratch, { recursive: true, force: true }));

async function build(request: Pick<ImageRequest, 'service' | 'configuration'>) {
  const image = join(scratch, request.service);
  const whole: ImageRequest = { ...request, architecture: 'x86_64', kernel: 'cloud', out: image };
  return { image, ...(await buildGuestImage(whole, elapsedReport())) };
}

test.serial(
  'a member of the pool database serves from its guest, with its keys on its disk',
  async (t) => {
    t.timeout(2_400_000);
    const now = milliseconds(Date.now());
    const authority = await makeAuthority('images', now);
    const tree = join(scratch, 'data');
    const identity = join(tree, 'identity');
    const paths = await writeIdentity(
      identity,
      'a',
      await issue(authority, { name: 'a', hosts: [] }, now),
    );
    // The service's user of the guest is nobody here: it reads what everybody may read.
    await chmod(identity, 0o755);
    for (const path of Object.values(paths)) await chmod(path, 0o644);
    const inGuest = (path: string) => path.replace(tree, '/data');
    const configuration = join(scratch, 'consensus.json');
    await writeFile(
      configuration,
      JSON.stringify({
        ...{ name: 'a', dataDir: '/data/consensus' },
        ...{ listenClient: '0.0.0.0:2379', listenPeer: '0.0.0.0:2380' },
        initialCluster: { a: '10.0.2.15:2380' },
        tls: {
          ca: inGuest(paths.ca),
          certificate: inGuest(paths.certificate),
          key: inGuest(paths.key),
        },
      }),
    );
    const { image, manifest } = await build({ service: 'consensus', configuration });
    const disk = join(scratch, 'data.ext4');
    await writeDisk(tree, disk, { size: 128 * 2 ** 20, files: 256 });
    const port = await freeTcpPort();
    const guest = startGuest({
      ...{ image, manifest, disk, words: ['flotilla.memory=5'] },
      forwards: [{ from: port, to: 2379 }],
    });
    try {
      await guest.says(/"msg":"serving"/);
      t.log(`serves after ${Math.round(guest.elapsed() / 1000)} s`);
      const credentials = await readCredentials(paths);
      if (!credentials.ok) throw new Error(credentials.error.message);
      const { client } = credentials.value;
      const database = etcdDatabase({
        endpoints: [`127.0.0.1:${port}`],
        credentials: client ?? undefined,
      });
      const put = { kind: 'put', key: '/flotilla/guest', value: 'written', lease: null } as const;
      const written = await database.transact({ comparisons: [], writes: [put] });
      t.true(written.ok, JSON.stringify(written));
      const read = await database.get('/flotilla/guest');
      t.is(read.ok ? read.value?.value : null, 'written');
      database.close();
      const [, used, total] = await guest.says(/memory: (\d+) KiB in use of (\d+) KiB/);
      t.log(`${used} KiB of memory in use of ${total} KiB`);
      t.true(Number(used) < Number(total));
    } finally {
      await guest.kill();
    }
  },
);

test.serial('a xenstored that is not on Xen says so, and is started again', async (t) => {
  t.timeout(2_400_000);
  const { image, manifest } = await build({ service: 'xenstore', configuration: null });
  const guest = startGuest({ image, manifest });
  try {
    await guest.says(/a xenstored cannot reach Xen here/);
    await guest.says(/the service ended with code 1; it is started again in 200 ms/);
  } finally {
    await guest.kill();
  }
});
