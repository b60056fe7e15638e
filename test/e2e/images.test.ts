import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { sha256Of } from '../../pool/images/digest.ts';
import { writeImage } from '../fixtures/images.ts';
import { eventually, PoolProcess } from './pool-process.ts';

/** What is looked at of `flotilla host attest --json`. */
interface Attested {
  readonly chainHolds: boolean;
  readonly measurements: readonly {
    readonly domain: { readonly name: string };
    readonly kernel: string | null;
    readonly verdict: string;
  }[];
}

const pool = new PoolProcess();
test.before(async (t) => {
  t.timeout(600_000);
  await pool.start('--hosts', '2', '--hypervisor', 'simulated');
});
test.after.always(() => pool.dispose());

const image = join(pool.directory, 'image');
const keys = join(pool.directory, 'keys');

test.serial(
  'an image is signed, refused, trusted, published and listed, from any host',
  async (t) => {
    t.timeout(600_000);
    await writeImage(image);
    const secret = join(keys, 'image-key.pem');
    const known = join(keys, 'image-key.pub.pem');
    t.is((await pool.run('image', 'keygen', '--out', keys)).code, 0);
    t.is((await pool.run('image', 'sign', image, '--key', secret)).code, 0);
    t.is((await pool.run('image', 'verify', image, '--key', known)).code, 0);
    const refused = await pool.run('image', 'publish', image);
    t.is(refused.code, 1);
    t.regex(refused.stderr, /which is not trusted/);
    t.deepEqual(await pool.json('image', 'list'), []);
    await pool.json('image', 'key', 'trust', known, '--name', 'builds');
    await pool.json('image', 'publish', image);
    const listed = await pool.json<readonly { readonly trusted: boolean }[]>('image', 'list');
    t.deepEqual(
      listed.map(({ trusted }) => trusted),
      [true],
    );
  },
);

test.serial('what VMs boot is measured, and the operator can see it from any host', async (t) => {
  t.timeout(600_000);
  const kernel = join(pool.directory, 'kernel');
  await writeFile(kernel, 'a kernel of somebody’s own');
  const create = (...more: readonly string[]) =>
    pool.run('vm', 'create', '--host', 'host-1', '--start', '--name', ...more);
  for (const words of [['web', '--kernel', kernel], ['db']] as const) {
    const created = await create(...words);
    t.is(created.code, 0, created.stderr);
  }
  const [host] = await eventually(
    () => pool.json<readonly Attested[]>('host', 'attest', 'host-1'),
    ([found]) => found?.measurements.length === 2,
    'two measurements',
  );
  t.true(host?.chainHolds);
  t.deepEqual(
    host?.measurements.map((each) => [each.domain.name, each.kernel, each.verdict]),
    [
      ['web', sha256Of('a kernel of somebody’s own'), 'vm'],
      ['db', null, 'vm'],
    ],
  );
  t.deepEqual(await readdir(join(pool.directory, 'host-1', 'vm-lifecycle', 'boot-files')), []);
});

test.serial(
  'a measurement log that was changed starts nothing; what runs is looked after',
  async (t) => {
    t.timeout(600_000);
    const folder = join(pool.directory, 'host-1', 'vm-lifecycle', 'measurements');
    const [name = ''] = await readdir(folder);
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(join(folder, name), text.replace('"web"', '"wob"'));
    pool.kill(pool.pids('host-1', 'vm-lifecycle'));
    await pool.run('vm', 'create', '--name', 'late', '--host', 'host-1');
    const refused = await pool.run('vm', 'start', 'late', '--host', 'host-1');
    t.is(refused.code, 1, refused.stdout);
    t.regex(refused.stderr, /the measurement log .* was changed: measurement 2/);
    t.regex(refused.stderr, /what to do: keep the file, compare it/);
    const shut = await pool.run('vm', 'destroy', 'web', '--yes');
    t.is(shut.code, 0, shut.stderr);
    await writeFile(join(folder, name), text);
    const started = await pool.run('vm', 'start', 'late', '--host', 'host-1');
    t.is(started.code, 0, started.stderr);
  },
);
