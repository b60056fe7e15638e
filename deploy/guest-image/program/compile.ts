import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import timers from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { servingChannel } from '../../../base/serving.ts';
import { type LinkedProgram, linkedScript, startFile } from './linked-script.ts';

/**
 * `node --hash-seed=1 compile.mjs DIRECTORY OUT CONFIGURATION COMMAND...`: has V8 compile what the linked
 * program of a directory runs to tell the usage of each of its commands and, where CONFIGURATION is not
 * empty, what the first of them runs with that until it serves. Writes it to OUT. The same program gives
 * the same bytes.
 */
const [, , directory = '', out = '', configuration = '', ...commands] = process.argv;

/**
 * What depends on when something happens: that V8 drops what has not been run for long, and compiles anew
 * what is run often. They are on wherever the program runs, and V8 takes what was compiled with other flags
 * for another V8's; so they are on again when it is written down.
 */
const timely = ['flush-bytecode', 'sparkplug', 'maglev', 'turbofan'];

/** An emulator of another processor takes ten seconds. */
const patience = 120_000;

/** What is thrown where the program would end the process. */
const ended = Symbol('ended');

process.on('unhandledRejection', (error) => {
  if (error !== ended) throw error;
});
const { exit } = process;
for (const flag of timely) setFlagsFromString(`--no-${flag}`);
const script = linkedScript(directory);
const program: LinkedProgram = script.runInThisContext();
for (const command of commands) await usageOf(command);
if (configuration === '') finish();
else startOf(commands[0] ?? '', ['--config', configuration]);

function finish(): void {
  for (const flag of timely) setFlagsFromString(`--${flag}`);
  // The seed makes tables have one order; with another than 0, which is none, V8 takes nothing either.
  setFlagsFromString('--hash-seed=0');
  writeFileSync(out, script.createCachedData());
  exit(0);
}

/** Lets the program tell the usage of a command, after which it would end the process. */
async function usageOf(command: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.exit = (code) => {
    if (code !== 0) throw new Error(`${command} --help ends with ${code}`);
    resolve();
    throw ended;
  };
  run([command, '--help']);
  await promise;
}

/** Lets the program run a command until it serves. What runs from time to time would run by chance. */
function startOf(command: string, words: readonly string[]): void {
  process.exit = (code) => {
    throw new Error(`${command} ends with ${code} where it is tried`);
  };
  const { setTimeout: later, setInterval: often } = globalThis;
  const never = 2 ** 31 - 1;
  later(() => {
    throw new Error(`${command} does not serve where it is tried`);
  }, patience);
  Object.assign(globalThis, {
    setTimeout: (act: () => void) => later(act, never),
    setInterval: (act: () => void) => often(act, never),
  });
  const { setTimeout: pause } = timers;
  Object.assign(timers, {
    setTimeout: (_delay: number, value: unknown, options: object) => pause(never, value, options),
  });
  servingChannel.subscribe(finish);
  run([command, ...words]);
}

function run(words: readonly string[]): void {
  const start = join(directory, startFile);
  process.argv = [process.execPath, start, ...words];
  const module = { exports: {} };
  program(module.exports, createRequire(start), module, start, directory);
}
