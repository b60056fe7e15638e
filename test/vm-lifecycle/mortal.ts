import { type Clock, systemClock } from '../../pool/clock.ts';

/**
 * The life of a service under test: every call that it makes to the outside goes through `call`. At
 * a chosen call it dies as by kill -9, before or after the call had its effect: that call and all
 * later ones never return to it, and it is never told.
 */
export class Life {
  #calls = 0;
  #isDead = false;
  readonly #deathAt: number;
  readonly #effect: 'before' | 'after';
  readonly died: Promise<void>;
  #announce = () => {};

  /** `deathAt`: the number of the fatal call, from 1; infinity for a long life. */
  constructor(deathAt = Number.POSITIVE_INFINITY, effect: 'before' | 'after' = 'before') {
    this.#deathAt = deathAt;
    this.#effect = effect;
    this.died = new Promise((resolve) => {
      this.#announce = resolve;
    });
  }

  /** It will die of itself. */
  get isMortal(): boolean {
    return Number.isFinite(this.#deathAt);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** How many calls were made. */
  get calls(): number {
    return this.#calls;
  }

  kill(): void {
    this.#isDead = true;
    this.#announce();
  }

  /** Makes one call, unless the service is dead by then. */
  async call<Value>(act: () => Promise<Value>): Promise<Value> {
    if (this.#isDead) return forever();
    this.#calls += 1;
    const isFatal = this.#calls === this.#deathAt;
    if (isFatal && this.#effect === 'before') this.kill();
    if (this.#isDead) return forever();
    const value = await act();
    if (isFatal) this.kill();
    return this.#isDead ? forever() : value;
  }

  /** The machine's clock, as the service sees it: after its death no sleep ends. */
  get clock(): Clock {
    const dead = new AbortController();
    void this.died.then(() => dead.abort());
    return {
      now: () => systemClock.now(),
      wall: () => systemClock.wall(),
      sleep: async (span, signal) => {
        const either = signal === undefined ? dead.signal : AbortSignal.any([signal, dead.signal]);
        await systemClock.sleep(span, either);
        return this.#isDead ? forever() : undefined;
      },
    };
  }

  /**
   * An object of which every method that is named is such a call. Its other methods are left as they
   * are.
   */
  through<Port extends object>(port: Port, methods: readonly (keyof Port)[]): Port {
    const wrapped = new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function' || !methods.some((method) => method === name)) return value;
        return (...parameters: unknown[]) =>
          this.call(async () => Reflect.apply(value, target, parameters) as unknown);
      },
    });
    return wrapped;
  }
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
