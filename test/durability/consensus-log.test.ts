import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import test from 'ava';
import { type Random, seededRandom } from '../../base/random.ts';
import type { DiskLogStore } from '../../consensus/adapters/disk/log-store.ts';
import { recover } from '../../consensus/core/recovery.ts';
import { CrashedDisk, type Fate } from './crash.ts';
import { Recorder } from './recorder.ts';
import { contentAt, openStore, type Promised, play, promises } from './script.ts';

/** Steps between crashes; which of them, the seed decides. */
const stride = 3;

/** The data directory, below one that is there. */
const place = ['pool', 'member'];

const fates: readonly Fate[] = ['all', 'nothing', 'some', 'some'];

/** `FLOTILLA_SEED=N` replays a seed; `FLOTILLA_LONG=SECONDS` tries others for so long. */
const firstSeed = Number(process.env.FLOTILLA_SEED ?? 1);
const duration = Number(process.env.FLOTILLA_LONG ?? 0) * 1000;

/** What is different from what was promised; null where nothing is. */
function difference(store: DiskLogStore, promised: Promised): string | null {
  const { hardState, base, entries, snapshot } = promised;
  const expected = recover(hardState, snapshot, base, entries);
  const found = store.recovered;
  if (store.incarnation <= promised.incarnation)
    return `opened for the ${store.incarnation}th time`;
  if (found.snapshot.index !== snapshot.index) return `its snapshot is of ${found.snapshot.index}`;
  const { term, vote, commit } = found.hardState;
  const wanted = expected.hardState;
  if (term !== wanted.term || vote !== wanted.vote || commit !== wanted.commit)
    return `its hard state is ${term}, ${vote}, ${commit}`;
  const from = Math.max(found.base.index, expected.base.index);
  if (found.base.index > snapshot.index) return `its log begins at ${found.base.index}`;
  const [here, there] = [found.entries, expected.entries].map((list) =>
    JSON.stringify(list.filter(({ index }) => index > from)),
  );
  return here === there ? null : `its log ends with ${found.entries.at(-1)?.index}`;
}

/** Opens what a crash has left; returns what is wrong with it, or null. */
async function problemOf(directory: string, acknowledged: number): Promise<string | null> {
  const store = await openStore(directory);
  const { index } = store.recovered.snapshot;
  const loaded = index === 0 ? null : store.loadSnapshot(index);
  if (loaded !== null && (!loaded.ok || !Buffer.concat([...loaded.value]).equals(contentAt(index))))
    return 'its snapshot cannot be read';
  // What was under way may have happened.
  const possible = promises.slice(acknowledged, acknowledged + 2);
  const differences = possible.map((promised) => difference(store, promised));
  await store.close();
  return differences.includes(null) ? null : differences.join(' / ');
}

/** Files below a directory, by their paths. */
function filesOf(directory: string): ReadonlyMap<string, Buffer> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path)]));
}

/** Opens what is in a directory, and leaves there what a crash during that leaves. */
async function crashWhileOpening(left: string, fate: Fate, random: Random): Promise<void> {
  const before = filesOf(left);
  const recorder = new Recorder(left);
  const store = await openStore(join(left, ...place)).finally(() => recorder.stop());
  await store.close();
  const steps = recorder.steps.slice(0, random.below(recorder.steps.length + 1));
  rmSync(left, { recursive: true });
  new CrashedDisk(steps, before).writeTo(left, fate, random);
}

test('whatever a loss of power leaves between two calls, the store has what it acknowledged', async (t) => {
  t.timeout(120_000 + 2 * duration);
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-durability-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'played'));
  const recorder = new Recorder(join(directory, 'played'));
  await play(join(directory, 'played', ...place), recorder);
  recorder.stop();
  const { steps } = recorder;
  t.true(steps.length > 200);
  const until = performance.now() + duration;
  for (let seed = firstSeed; seed === firstSeed || performance.now() < until; seed += 1) {
    const random = seededRandom(seed);
    for (let cut = seed % stride; cut <= steps.length; cut += stride) {
      const crashed = new CrashedDisk(steps.slice(0, cut));
      const fate = fates[(cut + seed) % fates.length] ?? 'all';
      const left = join(directory, 'left');
      crashed.writeTo(left, fate, random);
      // Every third time the power goes again while the store is being opened.
      if ((cut + seed) % 3 === 0) await crashWhileOpening(left, fate, random);
      const problem = await problemOf(join(left, ...place), crashed.acknowledged).catch(
        (error) => `${error}`,
      );
      t.is(
        problem,
        null,
        `seed ${seed}, after step ${cut} (${fate}), ${crashed.acknowledged} acknowledged`,
      );
      rmSync(left, { recursive: true });
    }
  }
});
