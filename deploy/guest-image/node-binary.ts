import { join } from 'node:path';
import type { Architecture } from '../../pool/images/manifest.ts';
import type { Report } from '../image/command.ts';
import { machines } from './machines.ts';
import { pinnedPackage } from './npm-package.ts';

/** Node for an architecture, as an npm package brings it. */
export interface NodeBinary {
  readonly path: string;
  readonly version: string;
}

/** The Node that the project pins, for the architecture of an image. */
export async function nodeBinary(
  checkout: string,
  architecture: Architecture,
  report: Report,
): Promise<NodeBinary> {
  const { nodePackage } = machines[architecture];
  const { directory, version } = await pinnedPackage(checkout, nodePackage, report);
  return { path: join(directory, 'bin/node'), version };
}

/** The binary part of koffi, for the architecture of an image, and where a linked program looks for it. */
export async function koffiBinary(
  checkout: string,
  architecture: Architecture,
  report: Report,
): Promise<{ readonly path: string; readonly place: string }> {
  const { koffiPackage, node } = machines[architecture];
  const { directory } = await pinnedPackage(checkout, koffiPackage, report);
  const name = `linux_${node}/koffi.node`;
  return { path: join(directory, name), place: `build/koffi/${name}` };
}
