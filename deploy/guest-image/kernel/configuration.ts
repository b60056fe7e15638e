import { fail, ok, type Result } from '../../../base/result.ts';

/** Options of a kernel by name (without `CONFIG_`): `y`, `m`, `n`, a number, or a text in quotes. */
export type Options = ReadonlyMap<string, string>;

/** A part of a configuration, which says why its options are set together. */
export interface Fragment {
  readonly name: string;
  readonly options: Options;
}

/** An option that the kernel's own rules did not let have its value. */
export interface Unmet {
  readonly option: string;
  readonly wanted: string;
  /** What it has instead; an option that does not exist, or is hidden, is `n`. */
  readonly got: string;
}

const set = /^CONFIG_([A-Za-z0-9_]+)=(y|m|n|-?\d+|0x[0-9a-fA-F]+|"(?:[^"\\]|\\.)*")$/;
const unset = /^# CONFIG_([A-Za-z0-9_]+) is not set$/;

/**
 * Reads a configuration as the kernel writes it (Documentation/kbuild/kconfig.rst), a whole one or a
 * fragment. A line that is neither an option nor a comment, and an option that is there twice, are
 * failures that name the line.
 */
export function parseFragment(name: string, text: string): Result<Fragment, string> {
  const options = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    const found = set.exec(line) ?? unset.exec(line);
    const where = `${name}, line ${index + 1}`;
    const [, option, value = 'n'] = found ?? [];
    if (option !== undefined) {
      if (options.has(option)) return fail(`${where}: ${option} is already set in this file`);
      options.set(option, value);
    } else if (line.trim() !== '' && !line.startsWith('#'))
      return fail(`${where}: "${line.slice(0, 80)}" is neither an option nor a comment`);
  }
  return ok({ name, options });
}

/**
 * All options of fragments together, whatever the order of the fragments. An option that two of them
 * set to different values is a failure that names both.
 */
export function mergeFragments(fragments: readonly Fragment[]): Result<Options, string> {
  const merged = new Map<string, { value: string; from: string }>();
  for (const { name, options } of fragments)
    for (const [option, value] of options) {
      const earlier = merged.get(option);
      if (earlier !== undefined && earlier.value !== value)
        return fail(`${option} is ${earlier.value} in ${earlier.from} and ${value} in ${name}`);
      if (earlier === undefined) merged.set(option, { value, from: name });
    }
  const sorted = [...merged].sort(([a], [b]) => (a < b ? -1 : 1));
  return ok(new Map(sorted.map(([option, { value }]) => [option, value])));
}

/** Writes options as the kernel's `KCONFIG_ALLCONFIG` reads them, one a line. */
export function renderOptions(options: Options): string {
  const lines = [...options].map(([option, value]) =>
    value === 'n' ? `# CONFIG_${option} is not set\n` : `CONFIG_${option}=${value}\n`,
  );
  return lines.join('');
}

/** The options that a finished configuration has otherwise than they were wanted. */
export function unmetOptions(wanted: Options, finished: Options): readonly Unmet[] {
  return [...wanted].flatMap(([option, value]) => {
    const got = finished.get(option) ?? 'n';
    return got === value ? [] : [{ option, wanted: value, got }];
  });
}

/** How many options of a configuration are on, built in or as modules. */
export function optionsOn(text: string): number {
  return text.match(/^CONFIG_\w+=[ym]$/gm)?.length ?? 0;
}
