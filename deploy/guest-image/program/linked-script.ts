import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, Script } from 'node:vm';

/** Where the files of a linked program are in its guest, and what they are called there. */
export const programDirectory = '/opt/flotilla/lib/service';
export const startFile = 'main.cjs';
export const linkedFile = 'program.js';
export const compiledFile = 'program.compiled';

/** What a linked program is (bundle.ts): a function of what Node gives a CommonJS module. */
export type LinkedProgram = (
  exports: object,
  require: NodeJS.Require,
  module: object,
  filename: string,
  directory: string,
) => void;

/**
 * Makes V8 ready to run the linked program of a directory; with `compiled`, what V8 has compiled of it
 * before, it compiles no more than what is not in there. What is not of this program and this V8 it does
 * not take, which `cachedDataRejected` says.
 */
export function linkedScript(directory: string, compiled?: Buffer): Script {
  // It is ASCII (bundle.ts), which is read as Latin-1 several times faster than as UTF-8.
  return new Script(readFileSync(join(directory, linkedFile), 'latin1'), {
    // Wherever it is read from: the name is in what is compiled.
    filename: join(programDirectory, linkedFile),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(compiled === undefined ? {} : { cachedData: compiled }),
  });
}
