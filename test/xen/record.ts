import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { cacheDirectory } from '../../deploy/image/cache.ts';
import { type ControlDomain, controlDomain } from './control-domain.ts';

const fileName = 'lab.json';

const Record = v.object({
  hosts: v.array(
    v.object({ name: v.string(), address: v.string(), port: v.number(), token: v.string() }),
  ),
});

/** What the directory of a lab that failed, and is kept for its logs, may be old. */
const keptFor = 24 * 60 * 60 * 1000;

/** Where the running labs of this user have their directories; a name begins with a process id. */
export function runsDirectory(): string {
  return join(cacheDirectory(), 'runs');
}

/** Writes down how a lab's hosts are reached, so that other processes of this user can. */
export async function writeRecord(
  directory: string,
  hosts: readonly ControlDomain[],
): Promise<void> {
  const record = hosts.map(({ name, address, agent }) => ({ name, address, ...agent }));
  await writeFile(join(directory, fileName), JSON.stringify({ hosts: record }), { mode: 0o600 });
}

/** The hosts of the lab that was booted last among those that run; none, when none runs. */
export async function runningHosts(): Promise<ControlDomain[]> {
  const runs = runsDirectory();
  let newest: { readonly path: string; readonly since: number } | undefined;
  for (const name of await readdir(runs).catch(() => [])) {
    const path = join(runs, name, fileName);
    const since = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    if (since === undefined || !(await ownerLives(name))) continue;
    if (newest === undefined || since > newest.since) newest = { path, since };
  }
  if (newest === undefined) return [];
  const { hosts } = v.parse(Record, JSON.parse(await readFile(newest.path, 'utf8')));
  return hosts.map(({ name, address, port, token }) =>
    controlDomain(name, address, { port, token }),
  );
}

/** Removes what labs left whose process is gone, once their logs are too old to be of use. */
export async function sweepRuns(): Promise<void> {
  const runs = runsDirectory();
  for (const name of await readdir(runs).catch(() => [])) {
    const path = join(runs, name);
    const { mtimeMs } = await stat(path);
    if (!(await ownerLives(name)) && Date.now() - mtimeMs > keptFor)
      await rm(path, { recursive: true, force: true });
  }
}

async function ownerLives(name: string): Promise<boolean> {
  return stat(`/proc/${name.split('-')[0]}`).then(
    () => true,
    () => false,
  );
}
