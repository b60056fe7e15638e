import { resolve } from 'node:path';
import { type ArchiveEntry, cpioArchive } from '../../deploy/image/cpio.ts';
import { compiledCode } from '../../deploy/toolstack/compile-cache.ts';
import {
  type LayerFile,
  readSources,
  sourceRoots,
  strippedProgram,
} from '../../deploy/toolstack/layers.ts';
import type { ControlDomain } from './control-domain.ts';

/** The checkout that this file is part of. */
export const checkout = resolve(import.meta.dirname, '../..');

/** Where a host looks for its configuration; its init starts the toolstack once the file is there. */
const configPath = '/etc/flotilla/host.json';

/** What `flotilla host up` prints on a host, since its first start. */
export const toolstackLog = '/var/log/flotilla/host.log';

/** The sources that run on a host, as they are now, compiled, with the lab's agent. */
export async function hostSources(): Promise<LayerFile[]> {
  const sources = await readSources(checkout);
  const agent = await strippedProgram(checkout, 'test/xen/agent.ts');
  return [...sources, ...(await compiledCode(checkout)), agent];
}

/**
 * Replaces the sources on a running host by those of the checkout as they are now, in a second.
 * Programs that run there go on with the old ones until they are restarted.
 */
export async function refreshToolstack(host: ControlDomain): Promise<void> {
  const files = await hostSources();
  const entries = files.map(({ path, content, executable }): ArchiveEntry => {
    return { path, kind: 'file', content, mode: executable ? 0o755 : 0o644 };
  });
  const replace = `cd /opt/flotilla && rm -rf ${sourceRoots.join(' ')} && busybox cpio -idmu`;
  await host.sh(replace, { input: cpioArchive(entries) });
}

/**
 * Gives a host its configuration. The host's init sees the file within a second and runs
 * `flotilla host up --config /etc/flotilla/host.json`, again whenever that ends. Its output goes to
 * `toolstackLog`.
 */
export async function startToolstack(host: ControlDomain, config: object): Promise<void> {
  await host.put(configPath, `${JSON.stringify(config, null, 2)}\n`, 0o600);
}
