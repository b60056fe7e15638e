import type { ChannelCredentials } from '@grpc/grpc-js';
import { assert, present } from '../../../base/assert.ts';
import type { Greeting } from '../../../proto/gen/flotilla.raft.v1.ts';
import type { Message } from '../../core/message.ts';
import { type OutgoingStream, openExchange } from './exchange.ts';
import { HeldMessages } from './held-messages.ts';
import { PeerQueue } from './queue.ts';
import type { Frame } from './read-frame.ts';
import { encodeGreeting, encodeMessages } from './write-frame.ts';

/**
 * First and longest wait before a connection that failed is tried again, in milliseconds. A member
 * that comes back calls by itself, which ends the wait: see `wake`.
 */
const backoffMin = 50;
const backoffMax = 500;

/** A silent connection is asked for a sign of life, and closed without one, in milliseconds. */
const keepaliveTime = 2000;
const keepaliveTimeout = 2000;

/** What a link tells its owner. */
export interface LinkListener {
  /** Messages to this member were lost. */
  lost(): void;
  /** The connection failed; the sentence says why. Called once for each new reason. */
  failed(reason: string): void;
  /** The other member greeted back. */
  connected(greeting: Greeting): void;
}

/** The way to one other member: a stream, the queue in front of it, and patience. */
export class PeerLink {
  readonly #greet: () => Greeting;
  readonly addresses: readonly string[];
  readonly #credentials: ChannelCredentials;
  readonly #listener: LinkListener;
  readonly #queue = new PeerQueue();
  readonly #held = new HeldMessages((messages) => this.#enqueue(messages));
  #connection: { close(): void } | null = null;
  #stream: OutgoingStream | null = null;
  #blocked = false;
  #backoff = backoffMin;
  #retry: NodeJS.Timeout | null = null;
  #failures = 0;
  #reason: string | null = null;
  #closed = false;

  /** `greet` is asked for the first words of each attempt; at least one address. */
  constructor(
    greet: () => Greeting,
    addresses: readonly string[],
    credentials: ChannelCredentials,
    listener: LinkListener,
  ) {
    this.#greet = greet;
    this.#listener = listener;
    this.addresses = addresses;
    this.#credentials = credentials;
    this.#open();
  }

  /** Queues a message and sends what can be sent. One that is `unhurried` may be held for a moment. */
  send(message: Message, unhurried = false): void {
    this.#enqueue(this.#held.pass(message, unhurried));
  }

  /** The other member has handed over a proposal, or asked from where on it may read. */
  awaited(): void {
    this.#held.awaited();
  }

  /** The other member is there: if this link waits before it tries again, it tries now. */
  wake(): void {
    if (this.#retry === null || this.#closed) return;
    clearTimeout(this.#retry);
    this.#backoff = backoffMin;
    this.#open();
  }

  close(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#held.clear();
    this.#stream?.cancel();
    this.#stream = null;
    this.#connection?.close();
  }

  /** After each failure the next address is tried. */
  get #address(): string {
    const address = this.addresses[this.#failures % this.addresses.length];
    return present(address, 'a link has an address');
  }

  /** Every attempt has a connection of its own, so that only this class decides when to wait. */
  #open(): void {
    this.#retry = null;
    const connection = openExchange(this.#address, this.#credentials, {
      'grpc.keepalive_time_ms': keepaliveTime,
      'grpc.keepalive_timeout_ms': keepaliveTimeout,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.use_local_subchannel_pool': 1,
    });
    const { stream } = connection;
    this.#connection = connection;
    this.#stream = stream;
    this.#blocked = false;
    stream.on('data', (frame: Frame) => {
      if (frame.kind !== 'greeting') return;
      this.#backoff = backoffMin;
      this.#reason = null;
      this.#listener.connected(frame.greeting);
    });
    stream.on('drain', () => {
      this.#blocked = false;
      this.#flush();
    });
    // A stream that has ended reports it as an error too, with the reason; once is enough.
    stream.on('error', (error) => this.#ended(stream, error.message));
    stream.on('end', () => this.#ended(stream, 'the other member closed the stream'));
    stream.write(encodeGreeting(this.#greet()));
    this.#flush();
  }

  #enqueue(messages: readonly Message[]): void {
    let lost = false;
    for (const message of messages) lost = this.#queue.push(message) || lost;
    if (lost) this.#listener.lost();
    this.#flush();
  }

  #flush(): void {
    const stream = this.#stream;
    while (stream !== null && !this.#blocked && !this.#queue.isEmpty) {
      const messages = this.#queue.take();
      assert(messages.length > 0, 'a queue that is not empty gives a message');
      this.#blocked = !stream.write(encodeMessages(messages));
    }
  }

  #ended(stream: OutgoingStream, reason: string): void {
    if (this.#closed || this.#stream !== stream) return;
    this.#stream = null;
    this.#connection?.close();
    this.#queue.clear();
    this.#held.clear();
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#open(), this.#backoff);
    this.#backoff = Math.min(2 * this.#backoff, backoffMax);
    const isNews = reason !== this.#reason;
    this.#reason = reason;
    this.#listener.lost();
    if (isNews) this.#listener.failed(reason);
  }
}
