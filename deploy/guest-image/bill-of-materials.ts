import type { LinkedModule, NpmPackage } from './linked-modules.ts';

/** A part of an image besides its modules: the kernel, Node, a library of Debian's, the linked program. */
export interface SystemPart {
  readonly name: string;
  readonly version: string;
  /** A package URL (purl-spec). */
  readonly purl: string;
  readonly type: 'file' | 'library' | 'operating-system' | 'platform';
  /** Its files in the image, and why they are there. */
  readonly files: readonly { readonly path: string; readonly why: string }[];
}

/** What a bill of materials is of. */
export interface Subject {
  /** `flotilla-xenstore`. */
  readonly name: string;
  readonly version: string;
  readonly modules: readonly LinkedModule[];
  readonly system: readonly SystemPart[];
}

/**
 * The bill of materials of an image: all modules that are linked in, each with who imports it, as
 * CycloneDX 1.5 in JSON (cyclonedx.org). It holds no time and no serial number: the same image has the
 * same bill.
 */
export function billOfMaterials({ name, version, modules, system }: Subject): string {
  const packages = Map.groupBy(modules, (module) => packageRef(module.package, version));
  const components = [...packages].map(([ref, files]) => ({
    ...packageComponent(ref, files[0]?.package ?? null, version),
    components: files.map(moduleComponent),
  }));
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'firmware', 'bom-ref': name, name, version } },
    components: [...components, ...system.map(systemComponent)],
    dependencies: dependenciesOf(modules),
  };
  return `${JSON.stringify(bill, null, 1)}\n`;
}

function packageRef(of: NpmPackage | null, version: string): string {
  if (of === null) return `pkg:npm/flotilla@${version}`;
  return `pkg:npm/${of.name.replace('@', '%40')}@${of.version}`;
}

function packageComponent(ref: string, of: NpmPackage | null, version: string) {
  const { name, license } = of ?? { name: 'flotilla', license: 'Apache-2.0' };
  return {
    type: 'library',
    'bom-ref': ref,
    name,
    version: of?.version ?? version,
    purl: ref,
    ...(license === null ? {} : { licenses: [{ expression: license }] }),
  };
}

function moduleComponent({ path, bytes, sha256, importedBy }: LinkedModule) {
  return {
    type: 'file',
    'bom-ref': path,
    name: path,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    properties: [
      { name: 'flotilla:bytes', value: String(bytes) },
      ...importedBy.map((value) => ({ name: 'flotilla:imported-by', value })),
    ],
  };
}

function systemComponent({ name, version, purl, type, files }: SystemPart) {
  return {
    type,
    'bom-ref': purl,
    name,
    version,
    purl,
    components: files.map(({ path, why }) => ({
      type: 'file',
      'bom-ref': `${purl}#${path}`,
      name: path,
      properties: [{ name: 'flotilla:why', value: why }],
    })),
  };
}

/** Which modules each module imports, from what is known the other way round. */
function dependenciesOf(modules: readonly LinkedModule[]) {
  const imports = new Map<string, string[]>(modules.map(({ path }) => [path, []]));
  for (const { path, importedBy } of modules)
    for (const importer of importedBy) imports.get(importer)?.push(path);
  return [...imports].map(([ref, dependsOn]) => ({ ref, dependsOn }));
}
