import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { RingPage } from '../../../services/xenstore/rings/page.ts';

/**
 * A page that is a file, which the other side has mapped. What is written to a file that is mapped
 * and shared is seen there at once, and each call is a barrier: it enters the kernel.
 */
export class FilePage implements RingPage {
  readonly #file: number;
  readonly #word = Buffer.alloc(4);

  constructor(path: string) {
    this.#file = openSync(path, 'r+');
  }

  load(offset: number): number {
    readSync(this.#file, this.#word, 0, 4, offset);
    return this.#word.readUInt32LE();
  }

  store(offset: number, value: number): void {
    this.#word.writeUInt32LE(value >>> 0);
    writeSync(this.#file, this.#word, 0, 4, offset);
  }

  copyOut(offset: number, target: Uint8Array): void {
    readSync(this.#file, target, 0, target.length, offset);
  }

  copyIn(offset: number, source: Uint8Array): void {
    writeSync(this.#file, source, 0, source.length, offset);
  }

  close(): void {
    closeSync(this.#file);
  }
}
