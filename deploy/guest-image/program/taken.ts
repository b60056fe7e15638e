import { readFileSync } from 'node:fs';
import { linkedScript } from './linked-script.ts';

/**
 * `node taken.mjs DIRECTORY FILE`: ends with 0 where V8, started as an image starts it, takes what is in
 * FILE for the linked program of a directory.
 */
const [, , directory = '', file = ''] = process.argv;
if (linkedScript(directory, readFileSync(file)).cachedDataRejected !== false)
  throw new Error(`${file} is not taken for the program in ${directory}`);
