import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelCredentials, type ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import type { Connection } from '../../../proto/client.ts';
import type { Input } from '../../../proto/codec.ts';
import { Watch, type WatchRequest, type WatchResponse } from '../../../proto/gen/etcdserverpb.ts';
import type { Event } from '../../../proto/gen/mvccpb.ts';
import { endOf, utf8 } from '../../contract/pool-database-client.ts';
import { connectTo, pause } from './endpoint.ts';
import { now, type WatchedEvent } from './trace.ts';

/** A stream is asked for its progress so often, and left after so long without a word. */
const askInterval = 250;
const silenceMax = 1500;

/**
 * One watch of a prefix, for ever: when its stream ends or falls silent it goes on at another
 * member, from the revision after the last that it was told of, as etcd's clients do. So it must
 * see every change once and in order, whatever happens to members.
 */
export class Watcher {
  readonly events: WatchedEvent[] = [];
  readonly problems: string[] = [];
  readonly #prefix: string;
  readonly #connections: readonly Connection[];
  #at = 0;
  #next: number;
  /** Up to here everything was told, as a member said. */
  #progress = 0;
  #stream: ClientDuplexStream<Input<WatchRequest>, WatchResponse> | null = null;
  #heard = now();
  #over = false;
  readonly #asking: NodeJS.Timeout;

  /** Watches from `revision` on. */
  constructor(
    endpoints: readonly string[],
    credentials: ChannelCredentials,
    prefix: string,
    revision: number,
  ) {
    this.#prefix = prefix;
    this.#next = revision;
    this.#connections = endpoints.map((endpoint) => connectTo(endpoint, credentials));
    this.#asking = setInterval(() => this.#ask(), askInterval);
    this.#open();
  }

  /** Resolves when everything up to this revision was told; false if that takes too long. */
  async reaches(revision: number, patience: number): Promise<boolean> {
    const until = now() + patience;
    while (Math.max(this.#progress, this.#next - 1) < revision) {
      if (now() > until) return false;
      await delay(pause);
    }
    return true;
  }

  close(): void {
    this.#over = true;
    clearInterval(this.#asking);
    this.#stream?.cancel();
    for (const connection of this.#connections) connection.close();
  }

  #open(): void {
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');
    const stream = this.#connections[this.#at]?.client(Watch).watch({ metadata });
    if (stream === undefined) return;
    this.#stream = stream;
    this.#heard = now();
    stream.on('data', (response: WatchResponse) => this.#receive(stream, response));
    stream.on('error', () => this.#leave(stream));
    stream.on('end', () => this.#leave(stream));
    const [key, rangeEnd] = [utf8(this.#prefix), endOf(this.#prefix)];
    stream.write({ createRequest: { key, rangeEnd, startRevision: BigInt(this.#next) } });
  }

  #leave(stream: ClientDuplexStream<Input<WatchRequest>, WatchResponse>): void {
    if (this.#stream !== stream) return;
    this.#stream = null;
    stream.cancel();
    this.#at = (this.#at + 1) % this.#connections.length;
    if (!this.#over) setTimeout(() => this.#over || this.#open(), pause);
  }

  #ask(): void {
    const stream = this.#stream;
    if (stream === null) return;
    if (now() - this.#heard > silenceMax) this.#leave(stream);
    else stream.write({ progressRequest: {} });
  }

  #receive(
    stream: ClientDuplexStream<Input<WatchRequest>, WatchResponse>,
    response: WatchResponse,
  ): void {
    if (this.#stream !== stream) return;
    this.#heard = now();
    if (response.canceled) this.problems.push(`a watch was cancelled: ${response.cancelReason}`);
    if (response.events.length > 0) this.#take(response.events);
    else if (!response.created) this.#told(Number(response.header?.revision));
  }

  #take(events: readonly Event[]): void {
    const at = now();
    for (const { type, kv } of events) {
      const revision = Number(kv?.modRevision);
      const key = Buffer.from(kv?.key ?? []).toString();
      if (revision < this.#next)
        this.problems.push(`the change of ${key} at ${revision} came when ${this.#next} was due`);
      if (revision <= this.#progress)
        this.problems.push(
          `the change of ${key} at ${revision} came after progress ${this.#progress}`,
        );
      this.events.push({
        key,
        kind: type === 'PUT' ? 'put' : 'delete',
        value: Buffer.from(kv?.value ?? []).toString(),
        revision,
        version: Number(kv?.version),
        at,
      });
    }
    // All changes of one revision come in one response.
    this.#next = Number(events.at(-1)?.kv?.modRevision) + 1;
  }

  #told(revision: number): void {
    this.#progress = Math.max(this.#progress, revision);
  }
}
