import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether this machine has a C compiler (Debian: `apt-get install gcc`). */
export const hasGcc = spawnSync('gcc', ['--version']).status === 0;

/**
 * Compiles C sources, and returns the path of what came of it. The same sources with the same words
 * are compiled once: what came of them stays among the temporary files.
 */
export function compile(
  name: string,
  sources: readonly string[],
  words: readonly string[] = [],
): string {
  const hash = createHash('sha256').update(JSON.stringify(words));
  for (const source of sources) hash.update(readFileSync(source));
  const directory = join(tmpdir(), `flotilla-compiled-${process.getuid?.() ?? 0}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(path)) return path;
  const aside = `${path}.${process.pid}`;
  const units = sources.filter((source) => source.endsWith('.c'));
  execFileSync('gcc', ['-O2', '-Wall', '-Wextra', ...words, '-o', aside, ...units, '-ldl']);
  renameSync(aside, path);
  return path;
}
