import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '../../pool/images/manifest.ts';
import type { Report } from '../image/command.ts';
import type { SystemPart } from './bill-of-materials.ts';
import { type Bundle, linkOwn } from './bundle.ts';
import { compiledForImage } from './compiled-code.ts';
import type { LinkedModule } from './linked-modules.ts';
import { koffiBinary, type NodeBinary } from './node-binary.ts';
import { compiledFile, linkedFile, programDirectory, startFile } from './program/linked-script.ts';
import { writeRootTree } from './root-tree.ts';
import type { Runtime } from './runtime.ts';
import type { GuestService } from './services.ts';
import { packSquashfs } from './squashfs.ts';

/** What the root of an image is made of. */
export interface Root {
  readonly checkout: string;
  readonly service: GuestService;
  readonly bundle: Bundle;
  readonly modules: readonly LinkedModule[];
  readonly configuration: Uint8Array | null;
  readonly init: string;
  readonly node: NodeBinary;
  readonly runtime: Runtime;
  readonly architecture: Architecture;
}

/** Packs the root of an image, with what V8 has compiled of its program. */
export async function packRoot(file: string, root: Root, report: Report): Promise<void> {
  const { checkout, service, bundle, configuration, architecture } = root;
  const tree = `${file}.tree`;
  await mkdir(tree);
  const usesKoffi = root.modules.some((module) => module.package?.name === 'koffi');
  await writeRootTree(tree, {
    ...{ checkout, bundle, configuration, dataDirectory: service.dataDirectory },
    start: await linkOwn(join(import.meta.dirname, 'program/start.ts'), 'cjs'),
    imagesDirectory: service.imagesDirectory ?? null,
    natives: usesKoffi ? [await koffiBinary(checkout, architecture, report)] : [],
    init: service.asksXenbus ? root.init : null,
  });
  const directory = join(tree, programDirectory);
  const node = { binary: root.node, runtime: root.runtime.image, architecture };
  const commands = Object.keys(service.commands);
  const compiled = await compiledForImage(directory, commands, node, report);
  await writeFile(join(directory, compiledFile), compiled);
  await packSquashfs(tree, file);
}

/** The files that the linked program is in its image, for the bill of materials. */
export function programPart(version: string): SystemPart {
  const files = [
    [startFile, 'Node is started with it, and it starts the linked program'],
    [linkedFile, 'all modules that are linked in'],
    [compiledFile, 'what V8 has compiled of them, so that it starts sooner'],
  ].map(([name, why = '']) => ({ path: `${programDirectory}/${name}`, why }));
  return {
    name: 'flotilla',
    version,
    purl: `pkg:npm/flotilla@${version}#program`,
    type: 'file',
    files,
  };
}
