import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ok } from '../../base/result.ts';
import { systemClock } from '../../pool/clock.ts';
import type { PoolDatabase } from '../../pool/database.ts';
import { runOperations } from '../../pool/operations/runner.ts';
import { openPool } from '../../pool/pool.ts';
import type { VdiId } from '../../pool/records/identifiers.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { dyingDatabase } from '../../test/fixtures/dying-database.ts';
import {
  eventually,
  hostIsUp,
  storeVm,
  thisHost,
  vmRecord,
} from '../../test/fixtures/pool-records.ts';
import type { DiskAccess } from './adapters/access/disk-access.ts';
import { attachmentsOf } from './adapters/attachments.ts';
import { openRepositories } from './adapters/repositories.ts';
import { createVdi, deleteVdi } from './adapters/vdi-requests.ts';
import { vdiDrivers, vdiFinishes } from './adapters/vdi-steps.ts';

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const moments = ['before', 'after'] as const;

/** One host's SR, over a view of the database, and its operations running. */
async function host(database: PoolDatabase, directory: string) {
  const pool = openPool(database);
  const repositories = await openRepositories(pool, thisHost, [{ name: 'local', path: directory }]);
  if (!repositories.ok) throw new Error(repositories.error.message);
  const runner = runOperations({
    ...{ pool, service: 'storage', host: thisHost, log: quiet },
    drivers: vdiDrivers(pool, repositories.value),
    finishes: vdiFinishes(pool),
  });
  return { pool, repositories: repositories.value, runner };
}

/** Does `work` in a new folder and database, in which a host has started before. */
async function inNewPool(
  work: (database: PoolDatabase, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'storage-crash-'));
  const database = simulatedDatabase();
  await hostIsUp(openPool(database), thisHost);
  const first = await host(database, directory);
  await first.runner.close();
  await work(database, directory);
  database.close();
  await rm(directory, { recursive: true });
}

async function requested(database: PoolDatabase, verb: 'create' | 'delete') {
  const pool = openPool(database);
  const common = { validateOnly: false, requestId: '' };
  const request =
    verb === 'create'
      ? createVdi(pool, systemClock, { name: 'disk', sr: 'local', virtualSize: 1024, ...common })
      : deleteVdi(pool, systemClock, { vdi: 'disk', ...common }, new AbortController().signal);
  const started = await request;
  if (!started.ok) throw new Error(started.error.message);
  return started.value.record;
}

function ended(database: PoolDatabase, id: string) {
  return eventually('the operation ends', async () => {
    const stored = await openPool(database).operationsOf('storage').get(id);
    return stored.ok && stored.value?.record.endedAt != null ? stored.value.record : null;
  });
}

async function imagesIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.includes('.raw'));
}

for (const verb of ['create', 'delete'] as const)
  for (const when of moments)
    test(`a VDI's ${verb} is finished by the next start, killed right ${when} any call of the database`, async (t) => {
      let kills = 0;
      for (let at = 1; ; at += 1) {
        let wasKilled = false;
        await inNewPool(async (database, directory) => {
          if (verb === 'delete') {
            const whole = await host(database, directory);
            await ended(database, (await requested(database, 'create')).id);
            await whole.runner.close();
          }
          const operation = await requested(database, verb);
          const { view, dead, isDead, kill } = dyingDatabase(database, at, when);
          const doomed = host(view, directory);
          await Promise.race([dead, ended(database, operation.id)]);
          wasKilled = isDead();
          kill();
          // What is dead records nothing any more; this stops its timers.
          void doomed.then(({ runner }) => runner.close());
          const next = await host(database, directory);
          const { state, resource } = await ended(database, operation.id);
          await next.runner.close();
          t.is(state, 'succeeded');
          const vdi = await next.pool.vdis.get(resource.id);
          const lifecycle = vdi.ok ? (vdi.value?.record.lifecycle ?? 'gone') : 'unknown';
          t.is(lifecycle, verb === 'create' ? 'ready' : 'gone');
          const images = verb === 'create' ? [`${resource.id}.raw`] : [];
          t.deepEqual(await imagesIn(directory), images);
        });
        if (!wasKilled) break;
        kills += 1;
      }
      t.true(kills >= 5, `${kills} kills`);
    });

/** A way to open disks that remembers what is open, as the kernel does when a service is killed. */
function rememberingAccess(open: Set<string>): DiskAccess {
  return {
    open: (image) => {
      open.add(image);
      return Promise.resolve(ok({ path: `/dev/of${image}`, device: '7:0' }));
    },
    close: (image) => {
      open.delete(image);
      return Promise.resolve(ok(undefined));
    },
    list: () =>
      Promise.resolve(ok([...open].map((image) => ({ image, device: `/dev/of${image}` })))),
  };
}

for (const when of moments)
  test(`an attach and a detach are finished when asked again, killed right ${when} any call of the database`, async (t) => {
    let kills = 0;
    for (let at = 1; ; at += 1) {
      let wasKilled = false;
      await inNewPool(async (database, directory) => {
        const { pool, repositories, runner } = await host(database, directory);
        const vdi = (await requested(database, 'create')).resource.id as VdiId;
        const vm = await storeVm(pool, vmRecord());
        await eventually('the disk is ready', async () => {
          const stored = await pool.vdis.get(vdi);
          return stored.ok && stored.value?.record.lifecycle === 'ready' ? true : null;
        });
        await runner.close();
        const claim = { vdi, vm: vm.id, epoch: vm.epoch };
        const open = new Set<string>();
        const access = rememberingAccess(open);
        const { view, dead, isDead } = dyingDatabase(database, at, when);
        const doomed = attachmentsOf({ pool: openPool(view), repositories, access });
        const both = async () => {
          await doomed.attach({ ...claim, readOnly: false });
          await doomed.detach(claim);
        };
        await Promise.race([dead, both()]);
        wasKilled = isDead();
        const recorded = await pool.attachments.get(vdi);
        if (open.size > 0) t.true(recorded.ok && recorded.value !== null, 'open for nobody');
        const next = attachmentsOf({ pool, repositories, access });
        const attached = await next.attach({ ...claim, readOnly: false });
        t.true(attached.ok && open.size === 1);
        t.true((await next.detach(claim)).ok);
        const after = await pool.attachments.get(vdi);
        t.true(after.ok && after.value === null && open.size === 0);
      });
      if (!wasKilled) break;
      kills += 1;
    }
    t.true(kills >= 5, `${kills} kills`);
  });
