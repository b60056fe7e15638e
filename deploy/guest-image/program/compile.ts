import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { type LinkedProgram, linkedScript, startFile } from './linked-script.ts';

/**
 * `node --hash-seed=1 compile.mjs DIRECTORY OUT COMMAND...`: has V8 compile what the linked program of a
 * directory runs to tell the usage of each of its commands, which is all that it does before it begins to
 * serve, and writes that to OUT. The same program gives the same bytes.
 */
const [, , directory = '', out = '', ...commands] = process.argv;

/**
 * What depends on when something happens: that V8 drops what has not been run for long, and compiles anew
 * what is run often. They are on wherever the program runs, and V8 takes what was compiled with other flags
 * for another V8's; so they are on again when it is written down.
 */
const timely = ['flush-bytecode', 'sparkplug', 'maglev', 'turbofan'];

/** What is thrown where the program would end the process. */
const ended = Symbol('ended');

process.on('unhandledRejection', (error) => {
  if (error !== ended) throw error;
});
for (const flag of timely) setFlagsFromString(`--no-${flag}`);
const script = linkedScript(directory);
const program: LinkedProgram = script.runInThisContext();
for (const command of commands) await usageOf(command);
for (const flag of timely) setFlagsFromString(`--${flag}`);
// The seed makes tables have one order; with another than 0, which is none, V8 takes nothing either.
setFlagsFromString('--hash-seed=0');
writeFileSync(out, script.createCachedData());

/** Lets the program tell the usage of a command, after which it would end the process. */
async function usageOf(command: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.exit = (code) => {
    if (code !== 0) throw new Error(`${command} --help ends with ${code}`);
    resolve();
    throw ended;
  };
  const start = join(directory, startFile);
  process.argv = [process.execPath, start, command, '--help'];
  const module = { exports: {} };
  program(module.exports, createRequire(start), module, start, directory);
  await promise;
}
