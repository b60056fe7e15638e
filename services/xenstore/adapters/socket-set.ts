import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import { type Interest, Readiness, type Ready } from '../../../linux/readiness.ts';
import { BusyPoll } from './busy-poll.ts';
import { Departures } from './departures.ts';

/** Node's loop, and all else that is on it, waits for clients of the socket no longer than this at a time. */
const turnsMax: Milliseconds = milliseconds(1);

/** Who is told that its descriptor is ready. */
type OnReady = (ready: Ready) => void;

/**
 * The descriptors of a socket and of its clients, and who deals with each. In a turn all that are ready are
 * dealt with once, then their replies leave; turns go on, without a turn of Node's loop between them,
 * while there is anything, and for the moment in which a client that asks one thing after another asks
 * the next.
 */
export class SocketSet {
  readonly departures = new Departures();
  readonly #readiness = new Readiness();
  readonly #dealers = new Map<number, OnReady>();
  readonly #busyPoll = new BusyPoll();
  readonly #mayGoOn: () => boolean;
  #tokens = 0;
  #found = 0;
  #looking: NodeJS.Immediate | null = null;

  /** `mayGoOn` says whether there is nothing that has to wait for the end of a turn of Node's loop. */
  constructor(mayGoOn: () => boolean) {
    this.#mayGoOn = mayGoOn;
    this.#readiness.watch(this.#turns);
  }

  /** Has a descriptor dealt with; returns what it is known by. */
  add(descriptor: number, onReady: OnReady): number {
    this.#tokens = (this.#tokens + 1) % 2 ** 32;
    while (this.#dealers.has(this.#tokens)) this.#tokens = (this.#tokens + 1) % 2 ** 32;
    this.#dealers.set(this.#tokens, onReady);
    this.#readiness.add(descriptor, this.#tokens, { readable: true, writable: false });
    return this.#tokens;
  }

  change(descriptor: number, token: number, interest: Interest): void {
    this.#readiness.change(descriptor, token, interest);
  }

  /** To be called before the descriptor is closed. */
  remove(descriptor: number, token: number): void {
    if (this.#dealers.delete(token)) this.#readiness.remove(descriptor);
  }

  close(): void {
    if (this.#looking !== null) clearImmediate(this.#looking);
    this.#readiness.close();
  }

  readonly #turns = (): void => {
    if (this.#looking !== null) clearImmediate(this.#looking);
    this.#looking = null;
    const begun = performance.now();
    for (let now = begun; now - begun < turnsMax && this.#mayGoOn(); now = performance.now()) {
      this.#found = this.#readiness.look();
      if (this.#found > 0) {
        this.departures.turn(this.#deal);
        this.#busyPoll.answered(now, performance.now());
      } else if (!this.#busyPoll.looks(now)) return;
    }
    // What is ready by now Node's loop finds; a client that may ask soon it would sleep for.
    this.#looking = setImmediate(this.#turns);
  };

  readonly #deal = (): void => {
    for (let index = 0; index < this.#found; index += 1)
      this.#dealers.get(this.#readiness.token(index))?.(this.#readiness.ready(index));
  };
}
