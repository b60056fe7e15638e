import { Session } from 'node:inspector/promises';

/** Tells which code was reached for the first time, as V8 counts it: by block and power of two. */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #place: string;

  /** Only files whose address has `place` in it count. */
  constructor(place: string) {
    this.#place = place;
  }

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many blocks, with how often they ran, have been seen. */
  get size(): number {
    return this.#seen.size;
  }

  /** Whether what was done since the last call has reached something new. */
  async isNew(): Promise<boolean> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const before = this.#seen.size;
    for (const { url, functions } of result)
      if (url.includes(this.#place))
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges)
            if (count > 0)
              this.#seen.add(`${url}:${startOffset}-${endOffset}:${Math.floor(Math.log2(count))}`);
    return this.#seen.size > before;
  }
}
