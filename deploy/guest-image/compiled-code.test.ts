import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { link, linkOwn } from './bundle.ts';
import { compiledCode } from './compiled-code.ts';
import { compiledFile, linkedFile, programDirectory, startFile } from './program/linked-script.ts';
import { writeRootTree } from './root-tree.ts';
import { guestServices, leftOutOfAll } from './services.ts';

const checkout = join(import.meta.dirname, '../..');
const ownNode = [process.execPath];

async function emptyDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-compiled-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

/** A linked program of two commands, with the file that starts it. */
async function littleProgram(t: ExecutionContext, name = 'little'): Promise<string> {
  const place = join(await emptyDirectory(t), name);
  await mkdir(place);
  const sources = {
    'main.ts': `const commands = {
  greet: async () => (await import('./services/greet.ts')).run(),
  fail: async () => (await import('./services/fail.ts')).run(),
  storage: async () => (await import('./services/storage.ts')).run(),
};
void commands[process.argv[2] as 'greet']();`,
    'services/greet.ts': `import { basename } from 'node:path';
export function run() {
  if (process.argv.includes('--help')) process.exit(0);
  console.log(basename(import.meta.filename), basename(import.meta.url), process.argv[3]);
}`,
    'services/storage.ts': `import { channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
function serve(path: string) {
  setTimeout(() => process.exit(4), 1);
  const { listen } = JSON.parse(readFileSync(path, 'utf8'));
  if (listen === '127.0.0.1:0') setImmediate(() => channel('flotilla.serving').publish(null));
}
export function run() {
  const [,,, word, path] = process.argv;
  if (word === '--help') process.exit(0);
  if (__dirname.includes('refused')) process.exit(3);
  serve(path!);
}`,
    'services/fail.ts': `export function run() {
  throw new Error('it cannot be loaded');
}`,
  };
  await mkdir(join(place, 'services'));
  for (const [path, text] of Object.entries(sources)) await writeFile(join(place, path), text);
  const loads = ['services/greet.ts', 'services/fail.ts', 'services/storage.ts'];
  const { code } = await link({ checkout: place, program: 'main.ts', loads, leftOut: [] });
  await writeFile(join(place, linkedFile), code);
  const start = await linkOwn(join(import.meta.dirname, 'program/start.ts'), 'cjs');
  await writeFile(join(place, startFile), start);
  return place;
}

/** What the program prints where a greeting is asked for, and what it says besides. */
function greeting(directory: string, ...flags: readonly string[]) {
  const words = [...flags, join(directory, startFile), 'greet', 'hello'];
  const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  return { stdout, stderr, status };
}

const greeted = { stdout: `${startFile} ${startFile} hello\n`, status: 0 };

test('a program starts with what was compiled of it, and V8 takes that', async (t) => {
  const directory = await littleProgram(t);
  const compiled = await compiledCode({ directory, commands: ['greet'], node: ownNode });
  await writeFile(join(directory, compiledFile), compiled);
  t.deepEqual(greeting(directory), { ...greeted, stderr: '' });
});

test('without it, or with what V8 does not take, a program starts as well and says so', async (t) => {
  const directory = await littleProgram(t);
  const compiled = await compiledCode({ directory, commands: ['greet'], node: ownNode });
  for (const content of [null, Buffer.alloc(0), Buffer.alloc(1000), compiled.subarray(0, 1000)]) {
    if (content !== null) await writeFile(join(directory, compiledFile), content);
    const said = greeting(directory);
    t.like(said, greeted);
    t.regex(said.stderr, /it starts slowly$/m);
  }
  await writeFile(join(directory, compiledFile), compiled);
  const otherwise = greeting(directory, '--max-lazy');
  t.like(otherwise, greeted);
  t.regex(otherwise.stderr, /it starts slowly$/m);
});

test('a program of which a command cannot be loaded is not compiled', async (t) => {
  const directory = await littleProgram(t);
  const compiling = compiledCode({ directory, commands: ['greet', 'fail'], node: ownNode });
  await t.throwsAsync(compiling, { name: 'BuildFailure', message: /it cannot be loaded/ });
});

test('of what init starts is compiled what it runs until it serves, without what time brings', async (t) => {
  const directory = await littleProgram(t);
  const of = (...commands: string[]) => compiledCode({ directory, commands, node: ownNode });
  const usage = await of('greet', 'storage');
  const start = await of('storage', 'greet');
  t.true(start.length > usage.length);
  t.true(start.equals(await of('storage', 'greet')));
});

test('a program that does not serve where it is tried is not compiled', async (t) => {
  const directory = await littleProgram(t, 'refused');
  const compiling = compiledCode({ directory, commands: ['storage'], node: ownNode });
  const message = /storage ends with 3 where it is tried/;
  await t.throwsAsync(compiling, { name: 'BuildFailure', message });
});

test('what is compiled of a service has the same bytes, wherever and whenever', async (t) => {
  const { commands, leftOut } = guestServices.consensus;
  const bundle = await link({
    ...{ checkout, program: 'main.ts', loads: Object.values(commands) },
    leftOut: [...leftOutOfAll, ...leftOut],
  });
  const compiled: Buffer[] = [];
  for (let round = 0; round < 2; round += 1) {
    const root = await emptyDirectory(t);
    await writeRootTree(root, {
      ...{ checkout, bundle, configuration: null, init: null, natives: [] },
      start: new Uint8Array(),
      ...{ dataDirectory: null, imagesDirectory: null },
    });
    const directory = join(root, programDirectory);
    compiled.push(await compiledCode({ directory, commands: ['consensus'], node: ownNode }));
  }
  const [first, second] = compiled;
  t.true(first !== undefined && first.length > 500_000, 'with the functions that modules have');
  t.true(second !== undefined && first?.equals(second));
});
