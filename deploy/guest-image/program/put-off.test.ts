import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';

/** Runs a program that has put compilers off, and returns what it prints, a line each. */
function printed(lines: readonly string[]): readonly string[] {
  const own = (path: string) => JSON.stringify(join(import.meta.dirname, path));
  const program = [
    "import { createRequire } from 'node:module';",
    "import { Script } from 'node:vm';",
    `import { putCompilersOff } from ${own('put-off.ts')};`,
    `import { servingChannel } from ${own('../../../base/serving.ts')};`,
    // V8 takes what was compiled with other flags for another V8's, and knows a source by its length; one
    // that it has compiled in this process it would not look at.
    'let digit = 1;',
    "const cachedData = new Script('1 + 1').createCachedData();",
    "const asAtFirst = () => !new Script('1 + ' + (digit += 1), { cachedData }).cachedDataRejected;",
    `const load = putCompilersOff(createRequire(${own('start.ts')}));`,
    ...lines,
  ];
  const words = ['--input-type=module', '-e', program.join('\n')];
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  return [...stdout.split('\n'), ...stderr.split('\n')].filter((line) => line !== '');
}

test("V8's compilers are off until the program tells that it serves", (t) => {
  const said = printed([
    'console.log(asAtFirst());',
    'servingChannel.publish(null);',
    'console.log(asAtFirst());',
  ]);
  t.deepEqual(said, ['false', 'true']);
});

test('a module that is loaded meanwhile is loaded with the compilers on, and is what Node has', (t) => {
  const said = printed([
    "console.log(load('node:http2') === (await import('node:http2')).default);",
    "console.log(load('node:http2') === load('node:http2'), typeof load.resolve);",
    "try { load('no-such-module'); } catch ({ code }) { console.log(code); }",
    'console.log(asAtFirst());',
    'servingChannel.publish(null);',
    "console.log(load('node:http2').constants.NGHTTP2_NO_ERROR, asAtFirst());",
  ]);
  t.deepEqual(said, ['true', 'true function', 'MODULE_NOT_FOUND', 'false', '0 true']);
});
