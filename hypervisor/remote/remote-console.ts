import type { Console } from '../port.ts';
import { consoleChunkMax } from './messages.ts';

/** What a console needs of its connection; `data` is in base64. */
export interface ConsoleLine {
  type(data: string): void;
  close(): void;
}

/**
 * A console in another process. What arrives before the first listener waits for it: the answer
 * that makes the console known and its first lines travel together. The bound on what may wait is
 * the stream's, for all of it arrives before the caller has had its turn.
 */
export class RemoteConsole implements Console {
  readonly #line: ConsoleLine;
  readonly #data: ((data: Uint8Array) => void)[] = [];
  readonly #end: (() => void)[] = [];
  #early: Uint8Array[] = [];
  #ended = false;
  #closed = false;

  /** A console whose input goes to `line`. */
  constructor(line: ConsoleLine) {
    this.#line = line;
  }

  onData(listener: (data: Uint8Array) => void): void {
    this.#data.push(listener);
    const early = this.#early;
    this.#early = [];
    for (const data of early) listener(data);
  }

  onEnd(listener: () => void): void {
    this.#end.push(listener);
    if (this.#ended) queueMicrotask(listener);
  }

  write(data: Uint8Array): void {
    if (this.#ended || this.#closed) return;
    for (let start = 0; start < data.length; start += consoleChunkMax)
      this.#line.type(
        Buffer.from(data.subarray(start, start + consoleChunkMax)).toString('base64'),
      );
  }

  close(): void {
    this.#closed = true;
    this.#line.close();
  }

  /** The domain printed. */
  print(data: Uint8Array): void {
    if (this.#closed) return;
    if (this.#data.length === 0) this.#early.push(data);
    for (const listener of this.#data) listener(data);
  }

  /** The console is gone. */
  end(): void {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    for (const listener of this.#end) listener();
  }
}
