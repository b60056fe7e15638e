import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { present } from '../../base/assert.ts';
import { startGuest } from '../../deploy/guest-image/boot/guest-machine.ts';
import { missingFor } from '../../deploy/guest-image/boot/missing.ts';
import { buildGuestImage, type ImageRequest } from '../../deploy/guest-image/build.ts';
import { cacheDirectory } from '../../deploy/image/cache.ts';
import { etcdDatabase } from '../../pool/etcd/database.ts';
import { sha256Of } from '../../pool/images/digest.ts';
import { type Architecture, architectures } from '../../pool/images/manifest.ts';
import { freeTcpPort } from './free-port.ts';
import { type GuestTrial, healthOf, makeTrial, type TriedService } from './guest-trial.ts';
import { elapsedReport } from './progress.ts';

/** What is missing for each architecture; ava wants all tests declared at once. */
const machines = await Promise.all(
  architectures.map(async (architecture) => ({
    ...{ architecture, missing: await missingFor(architecture) },
  })),
);

/** Guest images on an emulated machine, without Xen: each comes as far as it can there. */
let scratch: string;

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'flotilla-images-'));
});

test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** A guest of which nothing is in the cache is built and booted in some ten minutes, on a busy machine. */
const patience = 2_400_000;

interface Case {
  readonly service: TriedService;
  readonly architecture: Architecture;
  readonly kernel?: ImageRequest['kernel'];
}

async function build({ service, architecture, kernel = 'cloud' }: Case, trial: GuestTrial) {
  const image = join(scratch, `${service}-${architecture}`);
  const { configuration } = trial;
  const request = { service, architecture, kernel, configuration, out: image };
  return { image, ...(await buildGuestImage(request, elapsedReport())) };
}

/** What is written is read, and the memory in use is told. */
async function asksDatabase(t: ExecutionContext, address: string, trial: GuestTrial) {
  const database = etcdDatabase({
    endpoints: [address],
    credentials: trial.credentials ?? undefined,
  });
  const put = { kind: 'put', key: '/flotilla/guest', value: 'written', lease: null } as const;
  const written = await database.transact({ comparisons: [], writes: [put] });
  t.true(written.ok, JSON.stringify(written));
  const read = await database.get('/flotilla/guest');
  t.is(read.ok ? read.value?.value : null, 'written');
  database.close();
}

for (const { architecture, missing } of machines) {
  const reason = missing === null ? '' : ` (${missing} is not installed)`;
  const where = missing === null ? test.serial : test.skip;

  for (const service of ['consensus', 'network'] as const)
    where(
      `${service} serves from its guest of ${architecture}, with its keys on its disk${reason}`,
      async (t) => {
        t.timeout(patience);
        const trial = await makeTrial(service, join(scratch, `trial-${service}-${architecture}`));
        const { image, manifest } = await build({ service, architecture }, trial);
        const port = await freeTcpPort();
        const guest = startGuest({
          ...{ image, manifest, words: ['flotilla.memory=5'] },
          disk: present(trial.disk, 'it has a disk'),
          forwards: [{ from: port, to: present(trial.port ?? undefined, 'it listens') }],
        });
        try {
          await guest.says(trial.says);
          t.log(`serves after ${Math.round(guest.elapsed() / 1000)} s`);
          const credentials = present(trial.credentials ?? undefined, 'it has keys');
          t.is(await healthOf(`127.0.0.1:${port}`, credentials), 'SERVING');
          if (service === 'consensus') await asksDatabase(t, `127.0.0.1:${port}`, trial);
          const [, used, total] = await guest.says(/memory: (\d+) KiB in use of (\d+) KiB/);
          t.log(`${used} KiB of memory in use of ${total} KiB`);
          t.true(Number(used) < Number(total));
        } finally {
          await guest.kill();
        }
      },
    );

  where(
    `a service of ${architecture} that hangs is killed by its guest's init, and serves again${reason}`,
    async (t) => {
      t.timeout(patience);
      const service = 'consensus';
      const trial = await makeTrial(service, join(scratch, `trial-hang-${architecture}`));
      const { image, manifest } = await build({ service, architecture }, trial);
      const port = await freeTcpPort();
      const guest = startGuest({
        ...{ image, manifest, words: ['flotilla.hang=30'] },
        disk: present(trial.disk, 'it has a disk'),
        forwards: [{ from: port, to: present(trial.port ?? undefined, 'it listens') }],
      });
      try {
        await guest.says(/given no sign of life for 60 s: it hangs and is killed/);
        await guest.says(/the service ended with signal 9/);
        while (guest.lines.filter((line) => trial.says.test(line)).length < 2) await sleep(500);
        const credentials = present(trial.credentials ?? undefined, 'it has keys');
        t.is(await healthOf(`127.0.0.1:${port}`, credentials), 'SERVING');
      } finally {
        await guest.kill();
      }
    },
  );

  where(
    `a xenstored of ${architecture} that is not on Xen says so, and is started again${reason}`,
    async (t) => {
      t.timeout(patience);
      const service = 'xenstore';
      const trial = await makeTrial(service, scratch);
      const { image, manifest } = await build({ service, architecture }, trial);
      const guest = startGuest({ image, manifest });
      try {
        await guest.says(trial.says);
        const ended = /the service ended with code (\d+); it is started again in 200 ms/;
        t.is((await guest.says(ended))[1], '1');
      } finally {
        await guest.kill();
      }
    },
  );

  where(`two builds of an image for ${architecture} are equal, bit for bit${reason}`, async (t) => {
    t.timeout(patience);
    const trial = await makeTrial('xenstore', scratch);
    const digests: string[][] = [];
    const cache = process.env.XDG_CACHE_HOME;
    for (const place of [cache, await cacheWithoutWork(architecture)]) {
      setVariable('XDG_CACHE_HOME', place);
      const { image } = await build({ service: 'xenstore', architecture }, trial);
      const files = ['vmlinuz', 'initramfs.img', 'sbom.cdx.json', 'manifest.json'];
      const read = files.map(async (name) => sha256Of(await readFile(join(image, name))));
      digests.push(await Promise.all(read));
      await rm(image, { recursive: true });
    }
    setVariable('XDG_CACHE_HOME', cache);
    t.deepEqual(digests[0], digests[1]);
  });
}

/** A cache with what was downloaded, and nothing that was made of it: all is made again. */
async function cacheWithoutWork(architecture: Architecture): Promise<string> {
  const own = cacheDirectory();
  const place = join(scratch, `cache-${architecture}`);
  const cache = cacheDirectory({ XDG_CACHE_HOME: place });
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(own))
    if (/^(packages|npm-package)/.test(name)) await symlink(join(own, name), join(cache, name));
  return place;
}

function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
