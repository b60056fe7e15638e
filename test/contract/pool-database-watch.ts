import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Input } from '../../proto/codec.ts';
import type {
  WatchCreateRequest,
  WatchRequest,
  WatchResponse,
} from '../../proto/gen/etcdserverpb.ts';
import type { Event } from '../../proto/gen/mvccpb.ts';

/** A response must come within this: far above what a busy machine needs. */
const patience = 20_000;

/** A watch stream whose responses are asked for one by one. */
export class WatchProbe {
  readonly #stream: ClientDuplexStream<Input<WatchRequest>, WatchResponse>;
  readonly #received: WatchResponse[] = [];
  #waiting: (() => void) | null = null;
  #ended: Error | null = null;

  constructor(stream: ClientDuplexStream<Input<WatchRequest>, WatchResponse>) {
    this.#stream = stream;
    stream.on('data', (response: WatchResponse) => {
      this.#received.push(response);
      this.#waiting?.();
    });
    stream.on('error', (error: Error) => {
      this.#ended = error;
      this.#waiting?.();
    });
  }

  /** Asks for a watch, and returns the response that says that it was created. */
  async create(request: Input<WatchCreateRequest>): Promise<WatchResponse> {
    this.#stream.write({ createRequest: request });
    return this.next();
  }

  send(request: Input<WatchRequest>): void {
    this.#stream.write(request);
  }

  /** The next response. Throws where the stream ended, or none comes. */
  async next(): Promise<WatchResponse> {
    while (true) {
      const response = this.#received.shift();
      if (response !== undefined) return response;
      if (this.#ended !== null) throw this.#ended;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no watch response came')), patience);
        this.#waiting = () => {
          clearTimeout(timer);
          this.#waiting = null;
          resolve();
        };
      });
    }
  }

  /** The next `count` events, however many responses they come in. */
  async events(count: number): Promise<readonly Event[]> {
    const events: Event[] = [];
    while (events.length < count) events.push(...(await this.next()).events);
    return events;
  }

  /** Reads nothing for a while. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.cancel();
  }
}
