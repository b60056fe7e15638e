import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compiledFile, type LinkedProgram, linkedScript } from './linked-script.ts';
import { putCompilersOff } from './put-off.ts';

/**
 * The file of an image that Node is started with: it runs the linked program beside it, with what was
 * compiled of it when the image was built. Node has a cache of compiled code itself, whose files are
 * named after what the machine's processor can do, and which has no function that is within another.
 */

function compiled(): Buffer | undefined {
  try {
    return readFileSync(join(__dirname, compiledFile));
  } catch {
    return undefined;
  }
}

const script = linkedScript(__dirname, compiled());
// Absent or not taken, it costs time and nothing else.
if (script.cachedDataRejected !== false)
  process.stderr.write(`${compiledFile} is not of this program and this Node: it starts slowly\n`);
const program: LinkedProgram = script.runInThisContext();
program(exports, putCompilersOff(require), module, __filename, __dirname);
