import { ok } from '../../base/result.ts';
import { LibxlContext, type LibxlResult } from './context.ts';
import type { Libraries } from './libraries.ts';

/**
 * Contexts of libxl, lent out one call at a time. Calls beyond `size` wait their turn; how many
 * may wait is bounded by the connection they come from.
 */
export class ContextPool {
  readonly #libraries: Libraries;
  readonly #size: number;
  readonly #idle: LibxlContext[] = [];
  readonly #waiting: (() => void)[] = [];
  #lent = 0;

  /** At most `size` contexts at once. */
  constructor(libraries: Libraries, size: number) {
    this.#libraries = libraries;
    this.#size = size;
  }

  /**
   * Lends a context to `use`. One on which a call failed is freed afterwards: its connections may
   * be what failed, as when xenstored was restarted.
   */
  async use<Value>(
    use: (context: LibxlContext) => Promise<LibxlResult<Value>>,
  ): Promise<LibxlResult<Value>> {
    await this.#turn();
    try {
      const idle = this.#idle.pop();
      const context = idle === undefined ? await LibxlContext.open(this.#libraries) : ok(idle);
      if (!context.ok) return context;
      const result = await use(context.value);
      if (result.ok) this.#idle.push(context.value);
      else await context.value.free();
      return result;
    } finally {
      this.#lent -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    while (this.#lent >= this.#size) await new Promise<void>((go) => this.#waiting.push(go));
    this.#lent += 1;
  }
}
