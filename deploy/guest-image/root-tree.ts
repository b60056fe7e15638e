import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Bundle, linkedInputs } from './bundle.ts';
import { configurationPath, programPath, serviceUser } from './plan.ts';
import { linkedFile, programDirectory } from './program/linked-script.ts';

/** What is in the root of a guest besides the runtime in /usr. */
export interface RootParts {
  readonly checkout: string;
  readonly bundle: Bundle;
  /** What Node is started with (program/start.ts). */
  readonly start: Uint8Array;
  /** Further files beside the program: where they go below /opt/flotilla, and where they are. */
  readonly natives: readonly { readonly place: string; readonly path: string }[];
  /** The configuration that is linked in. */
  readonly configuration: Uint8Array | null;
  /** The init, for a guest whose kernel runs /sbin/poweroff when the hypervisor asks for it; or null. */
  readonly init: string | null;
  readonly dataDirectory: string | null;
  /** Where the control domain has guest images; null: it is no control domain. */
  readonly imagesDirectory: string | null;
}

/** Directories that something is mounted on, and links into them. */
const mountPoints = ['dev', 'proc', 'run', 'seed', 'sys', 'usr'];
const links = [
  ['lib', 'usr/lib'],
  ['lib64', 'usr/lib64'],
  ['tmp', 'run/tmp'],
] as const;

/** What libxl and Xen's tools look for in a control domain; what they keep is of one boot. */
const controlLinks = [
  ['bin', 'usr/sbin'],
  ['var/run', '../run'],
  ['var/lock', '../run/lock'],
  ['var/lib/xen', '../../run/xen-lib'],
] as const;

/**
 * Contracts that npm packages read while they run, two folders above what they take for their own: the
 * linked program's.
 */
const packageContracts = ['node_modules/@grpc/reflection/build/proto/grpc'];

/** What the C library asks for. There is nobody to log in: no password, no shell. */
const tables = {
  'etc/passwd': `root:*:0:0::/:\nflotilla:*:${serviceUser}:${serviceUser}::/:\n`,
  'etc/group': `root:*:0:\nflotilla:*:${serviceUser}:\n`,
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
};

/** Writes the root of a guest into an empty directory. */
export async function writeRootTree(root: string, parts: RootParts): Promise<void> {
  const put = async (path: string, content: Uint8Array | string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode: 0o644 });
  };
  for (const name of mountPoints) await mkdir(join(root, name));
  const { dataDirectory, imagesDirectory } = parts;
  for (const path of [dataDirectory, imagesDirectory])
    if (path !== null) await mkdir(join(root, path));
  for (const [path, target] of imagesDirectory === null ? links : [...links, ...controlLinks]) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  }
  for (const [path, content] of Object.entries(tables)) await put(path, content);
  await put(programPath, parts.start);
  await put(join(programDirectory, linkedFile), parts.bundle.code);
  // Where proto/codec.ts looks: beside itself, which is beside the program that it is linked into.
  for (const path of await protoFiles(parts.checkout, parts.bundle))
    await put(join(programDirectory, path), await readFile(join(parts.checkout, 'proto', path)));
  for (const { place, path } of await contractsOf(parts))
    await put(join(programDirectory, '../..', place), await readFile(path));
  for (const { place, path } of parts.natives) {
    const target = join('/opt/flotilla', place);
    await put(target, await readFile(path));
  }
  if (parts.configuration !== null) await put(configurationPath, parts.configuration);
  if (parts.init === null) return;
  await mkdir(join(root, 'sbin'));
  await copyFile(parts.init, join(root, 'sbin/poweroff'));
  await symlink('poweroff', join(root, 'sbin/reboot'));
}

/** The contracts of npm packages that are linked in: where they go below /opt/flotilla, and where they are. */
export async function contractsOf({ checkout, bundle }: Pick<RootParts, 'checkout' | 'bundle'>) {
  const inputs = linkedInputs(bundle.metafile);
  const found: { readonly place: string; readonly path: string }[] = [];
  for (const folder of packageContracts) {
    const home = /^node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(folder)?.[0] ?? folder;
    if (!inputs.some((path) => path.startsWith(home))) continue;
    const entries = await readdir(join(checkout, folder), { recursive: true });
    for (const entry of entries.filter((path) => path.endsWith('.proto')).sort()) {
      const path = join(checkout, folder, entry);
      // From the folder `proto` on, which the package asks for.
      found.push({ place: path.slice(path.lastIndexOf('/proto/') + 1), path });
    }
  }
  return found;
}

/**
 * The .proto files that the linked program reads while it runs, and those that they import: relative to
 * the folder of the contracts.
 */
export async function protoFiles(checkout: string, bundle: Bundle): Promise<readonly string[]> {
  const found = new Set<string>();
  const program = Buffer.from(bundle.code).toString('utf8');
  const visit = async (path: string): Promise<void> => {
    if (found.has(path)) return;
    const text = await readFile(join(checkout, 'proto', path), 'utf8').catch(() => null);
    // Google's well-known types are within protobufjs.
    if (text === null) return;
    found.add(path);
    for (const [, imported] of text.matchAll(/^import "([^"]+)";/gm))
      if (imported !== undefined) await visit(imported);
  };
  if (linkedInputs(bundle.metafile).includes('proto/codec.ts'))
    for (const [, path] of program.matchAll(/\bfile:\s*["']([a-z0-9_/]+\.proto)["']/g))
      if (path !== undefined) await visit(path);
  return [...found].sort();
}
