import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from '../../pool/images/manifest.ts';
import { cached, contentKey, sourceKey } from '../image/cache.ts';
import { type Report, run } from '../image/command.ts';
import { linkOwn } from './bundle.ts';
import { machines } from './machines.ts';
import type { NodeBinary } from './node-binary.ts';
import { needProgram } from './squashfs.ts';
import { trialConfiguration } from './trial-start.ts';

/** A linked program, and the Node that is to compile it: the one that will run it. */
export interface Compiling {
  /** The directory with the files of the program, which lies among others as it does in its guest. */
  readonly directory: string;
  /** What these commands of it use is compiled: the first one is what init starts. */
  readonly commands: readonly string[];
  /** Node, with what runs it where it is for another machine. */
  readonly node: readonly string[];
}

/** Tables of V8 have another order with another seed; which one it is makes no difference. */
const seed = '--hash-seed=1';

/**
 * What V8 compiles of a linked program (program/compile.ts), as bytes that it takes in the place of
 * compiling it: with any other processor of the architecture, and without looking whether the source is
 * the same. Equal programs and Nodes give equal bytes. A `BuildFailure` says that V8 would not take them.
 */
export async function compiledCode({ directory, commands, node }: Compiling): Promise<Buffer> {
  const aside = await mkdtemp(join(tmpdir(), 'flotilla-compiled-'));
  const out = join(aside, 'compiled');
  const own = async (name: string): Promise<string> => {
    const path = join(aside, `${name}.mjs`);
    await writeFile(path, await linkOwn(join(import.meta.dirname, `program/${name}.ts`), 'esm'));
    return path;
  };
  // What a program does may depend on variables, and on what it prints to: it has none, and prints to pipes.
  const withNode = (...words: string[]) =>
    run('env', ['-i', `PATH=${process.env.PATH ?? ''}`, ...node, ...words]);
  try {
    const configuration = await trialConfiguration(commands[0] ?? '', aside);
    await withNode(seed, await own('compile'), directory, out, configuration ?? '', ...commands);
    await withNode(await own('taken'), directory, out);
    return await readFile(out);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** What is compiled of a program for an image, from the cache or into it. */
export async function compiledForImage(
  directory: string,
  commands: readonly string[],
  { binary, runtime, architecture }: ImageNode,
  report: Report,
): Promise<Buffer> {
  const key = contentKey([
    // With the contracts: some are read at once, and what that runs is compiled.
    ...[await sourceKey([directory]), ...commands, architecture, binary.version, seed],
    ...(await Promise.all(builders.map((path) => readFile(path, 'utf8')))),
  ]);
  const build = async (aside: string): Promise<void> => {
    report(`compiling what ${commands.join(', ')} ${commands.length === 1 ? 'runs' : 'run'}`);
    const isForeign = machines[architecture].node !== process.arch;
    const unpacked = join(aside, 'runtime');
    const node = isForeign ? await foreignNode(runtime, unpacked, architecture) : [binary.path];
    const bytes = await compiledCode({ directory, commands, node });
    await rm(unpacked, { recursive: true, force: true });
    await writeFile(join(aside, 'compiled'), bytes);
  };
  const home = await cached('guest-compiled', key, report, build, 'guest-image');
  return readFile(join(home, 'compiled'));
}

/** The Node of an image. */
export interface ImageNode {
  readonly binary: NodeBinary;
  /** The squashfs that has it with its libraries. */
  readonly runtime: string;
  readonly architecture: Architecture;
}

/** What the result depends on besides the program. */
const builders = [
  'compiled-code.ts',
  'trial-start.ts',
  'program/compile.ts',
  'program/linked-script.ts',
].map((name) => join(import.meta.dirname, name));

/** Runs the image's own Node with the image's own libraries, by an emulator of its processor. */
async function foreignNode(
  runtime: string,
  unpacked: string,
  architecture: Architecture,
): Promise<readonly string[]> {
  const { userEmulator } = machines[architecture];
  await needProgram(userEmulator.program, userEmulator.package);
  await mkdir(unpacked);
  await run('unsquashfs', ['-q', '-n', '-d', join(unpacked, 'usr'), runtime]);
  // Where programs name their loader, as in the guest's root.
  for (const name of ['lib', 'lib64']) await symlink(`usr/${name}`, join(unpacked, name));
  return [userEmulator.program, '-L', unpacked, join(unpacked, 'usr/bin/node')];
}
