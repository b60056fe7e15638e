import type { SystemPart } from './bill-of-materials.ts';
import type { LinkedModule } from './linked-modules.ts';
import type { LeftOut } from './services.ts';

/** What a person reads about what is in an image, and why. */
export interface Linked {
  readonly modules: readonly LinkedModule[];
  readonly system: readonly SystemPart[];
  readonly leftOut: readonly LeftOut[];
}

/** The report, by packages, the largest first; each file with one that imports it. */
export function linkReport({ modules, system, leftOut }: Linked): string {
  const byPackage = Map.groupBy(modules, (module) =>
    module.package === null ? 'flotilla' : `${module.package.name} ${module.package.version}`,
  );
  const groups = [...byPackage]
    .map(([name, files]) => ({ name, files, bytes: sum(files.map(({ bytes }) => bytes)) }))
    .sort((one, other) => other.bytes - one.bytes);
  const lines = [`${modules.length} modules of ${groups.length} packages, ${size(modules)}`];
  for (const { name, files } of groups) {
    lines.push('', `${name}: ${files.length} modules, ${size(files)}`);
    for (const { path, bytes, importedBy } of files)
      lines.push(`  ${path}, ${bytes} bytes, for ${reason(importedBy)}`);
  }
  lines.push('', 'files of the image besides:');
  for (const { name, version, files } of system)
    for (const { path, why } of files) lines.push(`  ${path} of ${name} ${version}: ${why}`);
  if (leftOut.length > 0) lines.push('', 'left out:');
  for (const { path, why } of leftOut) lines.push(`  ${path}: ${why}`);
  return `${lines.join('\n')}\n`;
}

function reason(importedBy: readonly string[]): string {
  const [first, ...others] = importedBy;
  if (first === undefined) return 'the image: it is the program';
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

function size(files: readonly LinkedModule[]): string {
  return `${Math.ceil(sum(files.map(({ bytes }) => bytes)) / 1024)} KiB`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
