import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as v from 'valibot';
import { type Sha256, sha256Of } from '../../pool/images/digest.ts';
import { linkedInputs } from './bundle.ts';

/** A source file that is linked into an image. */
export interface LinkedModule {
  /** Relative to the checkout. */
  readonly path: string;
  /** Bytes of the linked program that come from it. */
  readonly bytes: number;
  /** Of the source file as it was linked. */
  readonly sha256: Sha256;
  /** The npm package that it is of; null: Flotilla itself. */
  readonly package: NpmPackage | null;
  /** Why it is there: the linked files that import it. The program itself is imported by none. */
  readonly importedBy: readonly string[];
}

/** An npm package as it is installed. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, as its author wrote it; null where there is none. */
  readonly license: string | null;
}

const PackageSchema = v.object({
  name: v.string(),
  version: v.string(),
  license: v.optional(v.nullable(v.string())),
});

/** All modules of a linked program, sorted by their paths. */
export async function linkedModules(
  checkout: string,
  metafile: Metafile,
): Promise<readonly LinkedModule[]> {
  const linked = linkedInputs(metafile);
  const importers = importersOf(metafile, new Set(linked));
  const bytes = new Map(
    Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const),
    ),
  );
  const packages = new Map<string, NpmPackage>();
  return Promise.all(
    linked.map(async (path) => {
      const home = packageHome(path);
      const found =
        home === null ? null : (packages.get(home) ?? (await npmPackage(checkout, home)));
      if (home !== null && found !== null) packages.set(home, found);
      return {
        path,
        bytes: bytes.get(path) ?? 0,
        sha256: sha256Of(await readFile(join(checkout, path))),
        package: found,
        importedBy: importers.get(path) ?? [],
      };
    }),
  );
}

/** The package in a directory of the checkout. */
export async function npmPackage(checkout: string, home: string): Promise<NpmPackage> {
  const text = await readFile(join(checkout, home, 'package.json'), 'utf8');
  const { name, version, license = null } = v.parse(PackageSchema, JSON.parse(text));
  return { name, version, license };
}

/** `node_modules/@grpc/grpc-js` of a file below it; null for a file of the project itself. */
function packageHome(path: string): string | null {
  const match = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path);
  return match === null ? null : match[0];
}

/**
 * The linked files that import each file. An import through a file of which nothing is left, one that
 * only hands on the exports of others, counts for whoever imports that one.
 */
function importersOf(
  { inputs }: Metafile,
  linked: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const direct = new Map<string, string[]>();
  for (const [importer, { imports }] of Object.entries(inputs))
    for (const { path, external } of imports)
      if (external !== true) direct.set(path, [...(direct.get(path) ?? []), importer]);
  const found = new Map<string, readonly string[]>();
  for (const path of linked) {
    const seen = new Set<string>();
    const importers = new Set<string>();
    const visit = (target: string): void => {
      for (const importer of direct.get(target) ?? []) {
        if (importer === path || seen.has(importer)) continue;
        seen.add(importer);
        if (linked.has(importer)) importers.add(importer);
        else visit(importer);
      }
    };
    visit(path);
    found.set(path, [...importers].sort());
  }
  return found;
}
