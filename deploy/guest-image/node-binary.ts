import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '../../pool/images/manifest.ts';
import { BuildFailure } from '../image/command.ts';
import { npmPackage } from './linked-modules.ts';
import { machines } from './machines.ts';

/** Node for an architecture, as an npm package brings it. */
export interface NodeBinary {
  readonly path: string;
  readonly version: string;
}

/** The Node that the project pins, for the architecture of an image. */
export async function nodeBinary(
  checkout: string,
  architecture: Architecture,
): Promise<NodeBinary> {
  const home = await installed(checkout, machines[architecture].nodePackage);
  const { version } = await npmPackage(checkout, home);
  return { path: join(checkout, home, 'bin/node'), version };
}

/** The binary part of koffi, for the architecture of an image, and where a linked program looks for it. */
export async function koffiBinary(
  checkout: string,
  architecture: Architecture,
): Promise<{ readonly path: string; readonly place: string }> {
  const { koffiPackage, node } = machines[architecture];
  const home = await installed(checkout, koffiPackage);
  const name = `linux_${node}/koffi.node`;
  return { path: join(checkout, home, name), place: `build/koffi/${name}` };
}

async function installed(checkout: string, name: string): Promise<string> {
  const home = join('node_modules', name);
  await access(join(checkout, home)).catch(() => {
    throw new BuildFailure(`${name} is not installed; run: npm ci --include=optional`);
  });
  return home;
}
