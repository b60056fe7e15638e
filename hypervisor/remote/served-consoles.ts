import type { Console } from '../port.ts';
import { consoleChunkMax, type Response } from './messages.ts';

/** The consoles that one connection has open, by their number on it. */
export class ServedConsoles {
  readonly #open = new Map<number, Console>();
  readonly #send: (message: Response) => void;
  readonly #congested: () => boolean;

  /** `congested` says that the reader is slow: what is printed meanwhile is dropped. */
  constructor(send: (message: Response) => void, congested: () => boolean) {
    this.#send = send;
    this.#congested = congested;
  }

  /** Takes an open console, under the number of the call that opened it. */
  add(number: number, console: Console): void {
    let lost = 0;
    this.#open.set(number, console);
    console.onData((data) => {
      if (this.#congested()) {
        lost += data.length;
        return;
      }
      if (lost > 0) this.#print(number, Buffer.from(`\r\n[${lost} bytes were lost]\r\n`));
      lost = 0;
      this.#print(number, data);
    });
    console.onEnd(() => {
      if (this.#open.delete(number)) this.#send({ kind: 'console-ended', console: number });
    });
  }

  /** Types into a console; one that has ended meanwhile takes nothing. */
  type(number: number, data: Uint8Array): void {
    this.#open.get(number)?.write(data);
  }

  /** Closes a console. */
  close(number: number): void {
    this.#open.get(number)?.close();
    this.#open.delete(number);
  }

  /** Closes every console: the connection is gone. */
  closeAll(): void {
    for (const console of this.#open.values()) console.close();
    this.#open.clear();
  }

  #print(number: number, data: Uint8Array): void {
    for (let start = 0; start < data.length; start += consoleChunkMax) {
      const chunk = Buffer.from(data.subarray(start, start + consoleChunkMax));
      this.#send({ kind: 'printed', console: number, data: chunk.toString('base64') });
    }
  }
}
