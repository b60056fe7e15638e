import { type ChannelCredentials, type Server, status } from '@grpc/grpc-js';
import type { Input } from '../../../proto/codec.ts';
import type { ListMembersResponse } from '../../../proto/gen/flotilla.raft.v1.ts';
import type { Configuration } from '../../core/configuration.ts';
import type { LogIndex, MemberId } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { PeerReceiver, PeerTransport } from '../../ports.ts';
import { commonNameOf } from '../etcd/auth/caller.ts';
import { AddressBook } from './address-book.ts';
import { type IncomingStream, serveExchange } from './exchange.ts';
import { acceptGreeting, type Greeted, greet, type PeerIdentity } from './greeting.ts';
import { type LinkListener, PeerLink } from './link.ts';
import { decodeMessages, type Frame } from './read-frame.ts';
import { encodeGreeting } from './write-frame.ts';

/** What is worth a line in the log. */
export interface PeerEvents {
  /** `version` is the newest that it speaks. */
  connected(member: MemberId, version: number): void;
  /** `reason` is a sentence; a refused greeting's says what to check. */
  disconnected(member: MemberId, reason: string): void;
  /** A caller was refused. */
  refused(reason: string): void;
  /** A member has said what cannot be, as the sentence tells: it is damaged or hostile, or this one is. */
  contradicted(member: MemberId, reason: string): void;
}

/** Members of one pool, by gRPC: one stream to each other member, and one from each. */
export interface PeerOptions {
  readonly self: PeerIdentity;
  /** Where members listen whose address no configuration tells. */
  readonly addresses: ReadonlyMap<MemberId, string>;
  readonly credentials: ChannelCredentials;
  readonly events: PeerEvents;
  /** Why who shows a certificate of this common name cannot be this member. Left out: it may be any. */
  readonly refusal?: (member: MemberId, commonName: string | null) => string | null;
}

/** What this member answers whoever asks who the members are. */
export type ListMembers = () => Promise<Input<ListMembersResponse>>;

/** The transport between the members of a pool. Add it to a server with `serve`. */
export class GrpcPeers implements PeerTransport {
  readonly #options: PeerOptions;
  readonly #book: AddressBook;
  readonly #links = new Map<MemberId, PeerLink>();
  /** What each member that was met since this one started speaks; of strangers, who is connected. */
  readonly #versions = new Map<MemberId, number>();
  /** Who has called, once it has greeted. */
  readonly #incoming = new Map<IncomingStream, MemberId | null>();
  #receiver: PeerReceiver | null = null;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#book = new AddressBook(options.self.member, options.addresses);
  }

  /** Serves the other members. The server's credentials decide who may call. */
  serve(server: Server, listMembers: ListMembers): void {
    serveExchange(server, (stream) => this.#accept(stream), {
      listMembers: (_call, reply) => {
        void listMembers().then((response) => reply(null, response));
      },
    });
  }

  attach(receiver: PeerReceiver): void {
    this.#receiver = receiver;
  }

  configure(configuration: Configuration, index: LogIndex): void {
    this.#book.configure(configuration, index);
    this.#relink();
  }

  /** The version that a member speaks; null if it was not met since this one started. */
  versionOf(member: MemberId): number | null {
    return this.#versions.get(member) ?? null;
  }

  #relink(): void {
    const wanted = this.#book.addresses();
    for (const [member, { addresses }] of this.#links)
      if (wanted.get(member)?.join() !== addresses.join()) this.#disconnect(member);
    for (const [member, addresses] of wanted)
      if (!this.#links.has(member)) this.#connect(member, addresses);
  }

  #connect(member: MemberId, addresses: readonly string[]): void {
    const { self, credentials, events } = this.#options;
    const listener: LinkListener = {
      lost: () => this.#receiver?.unreachable(member),
      failed: (reason) => events.disconnected(member, reason),
      connected: ({ version }) => {
        this.#versions.set(member, version);
        events.connected(member, version);
      },
    };
    const greeting = () => greet(self, member, this.#book);
    this.#links.set(member, new PeerLink(greeting, addresses, credentials, listener));
  }

  #disconnect(member: MemberId): void {
    this.#links.get(member)?.close();
    this.#links.delete(member);
  }

  send(messages: readonly Message[], unhurried: readonly MemberId[] = []): void {
    for (const message of messages)
      this.#links.get(message.to)?.send(message, unhurried.includes(message.to));
  }

  refuse(member: MemberId, reason: string): void {
    this.#options.events.contradicted(member, reason);
    for (const [stream, from] of this.#incoming)
      if (from === member) this.#hangUp(stream, status.FAILED_PRECONDITION, reason);
  }

  /** Ends every stream. */
  close(): void {
    for (const member of [...this.#links.keys()]) this.#disconnect(member);
    for (const stream of this.#incoming.keys()) stream.end();
    this.#receiver = null;
  }

  #accept(stream: IncomingStream): void {
    const { self } = this.#options;
    let from: Greeted | null = null;
    this.#incoming.set(stream, null);
    const forget = (): void => {
      const isOpen = this.#incoming.delete(stream);
      if (!isOpen || from === null || this.#receiver === null) return;
      this.#book.left(from);
      this.#relink();
      if (!this.#links.has(from.member)) this.#versions.delete(from.member);
    };
    stream.on('cancelled', forget);
    stream.on('error', forget);
    stream.on('end', () => {
      forget();
      stream.end();
    });
    stream.on('data', (frame: Frame) => {
      if (from !== null) {
        this.#receive(stream, from.member, frame);
        return;
      }
      if (frame.kind !== 'greeting') {
        this.#refuse(stream, status.INVALID_ARGUMENT, 'a stream begins with a greeting');
        return;
      }
      const accepted = acceptGreeting(self, frame.greeting);
      if (!accepted.ok) {
        this.#refuse(stream, status.FAILED_PRECONDITION, accepted.error);
        return;
      }
      const refusal = this.#options.refusal?.(accepted.value.member, commonNameOf(stream)) ?? null;
      if (refusal !== null) {
        this.#refuse(stream, status.PERMISSION_DENIED, refusal);
        return;
      }
      from = accepted.value;
      this.#incoming.set(stream, from.member);
      stream.write(encodeGreeting(greet(self, from.member, this.#book)));
      this.#met(from);
    });
  }

  /** A member has called: there is a way to it, if it said where it listens. */
  #met(greeted: Greeted): void {
    this.#versions.set(greeted.member, greeted.version);
    this.#book.met(greeted);
    this.#relink();
    this.#links.get(greeted.member)?.wake();
  }

  #receive(stream: IncomingStream, from: MemberId, frame: Frame): void {
    if (frame.kind !== 'messages') return;
    const messages = decodeMessages(from, this.#options.self.member, frame.bytes);
    if (messages !== null) {
      if (messages.some(({ kind }) => kind === 'propose' || kind === 'read'))
        this.#links.get(from)?.awaited();
      this.#receiver?.receive(messages);
    } else {
      const reason = `member ${from} sent a message that this version cannot read`;
      this.#refuse(stream, status.INVALID_ARGUMENT, reason);
    }
  }

  #refuse(stream: IncomingStream, code: status, reason: string): void {
    this.#options.events.refused(reason);
    this.#hangUp(stream, code, reason);
  }

  #hangUp(stream: IncomingStream, code: status, reason: string): void {
    this.#incoming.delete(stream);
    stream.removeAllListeners('data');
    stream.emit('error', { code, details: reason });
  }
}
