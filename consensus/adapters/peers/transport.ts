import {
  type ChannelCredentials,
  type Server,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js';
import type { Input } from '../../../proto/codec.ts';
import { type PeerFrame, PeerService } from '../../../proto/gen/flotilla.raft.v1.ts';
import { addService } from '../../../proto/server.ts';
import { type Configuration, membersOf } from '../../core/configuration.ts';
import type { MemberId } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { PeerReceiver, PeerTransport } from '../../ports.ts';
import { fromWire } from './from-wire.ts';
import { acceptGreeting, greet, type PeerIdentity } from './greeting.ts';
import { type LinkListener, PeerLink } from './link.ts';

/** What is worth a line in the log. */
export interface PeerEvents {
  connected(member: MemberId): void;
  /** `reason` is a sentence; a refused greeting's says what to check. */
  disconnected(member: MemberId, reason: string): void;
  /** A caller was refused. */
  refused(reason: string): void;
}

/** Members of one pool, by gRPC: one stream to each other member, and one from each. */
export interface PeerOptions {
  readonly self: PeerIdentity;
  readonly credentials: ChannelCredentials;
  readonly events: PeerEvents;
}

type Incoming = ServerDuplexStream<PeerFrame, Input<PeerFrame>>;

/** The transport between the members of a pool. Add it to a server with `serve`. */
export class GrpcPeers implements PeerTransport {
  readonly #options: PeerOptions;
  readonly #links = new Map<MemberId, PeerLink>();
  readonly #incoming = new Set<Incoming>();
  #receiver: PeerReceiver | null = null;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** Serves the other members' streams. The server's credentials decide who may call. */
  serve(server: Server): void {
    addService(server, PeerService, { exchange: (stream) => this.#accept(stream) });
  }

  attach(receiver: PeerReceiver): void {
    this.#receiver = receiver;
  }

  configure(configuration: Configuration): void {
    const wanted = new Map(
      membersOf(configuration)
        .filter((member) => member !== this.#options.self.member)
        .map((member) => [member, addressOf(configuration, member)]),
    );
    for (const [member, { address }] of this.#links)
      if (wanted.get(member) !== address) this.#disconnect(member);
    for (const [member, address] of wanted)
      if (address !== null && !this.#links.has(member)) this.#connect(member, address);
  }

  #connect(member: MemberId, address: string): void {
    const { self, credentials, events } = this.#options;
    const listener: LinkListener = {
      lost: () => this.#receiver?.unreachable(member),
      failed: (reason) => events.disconnected(member, reason),
      connected: () => events.connected(member),
    };
    this.#links.set(member, new PeerLink(self, member, address, credentials, listener));
  }

  #disconnect(member: MemberId): void {
    this.#links.get(member)?.close();
    this.#links.delete(member);
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) this.#links.get(message.to)?.send(message);
  }

  /** Ends every stream. */
  close(): void {
    for (const member of [...this.#links.keys()]) this.#disconnect(member);
    for (const stream of this.#incoming) stream.end();
    this.#receiver = null;
  }

  #accept(stream: Incoming): void {
    const { self } = this.#options;
    let from: MemberId | null = null;
    this.#incoming.add(stream);
    const forget = (): void => {
      this.#incoming.delete(stream);
    };
    stream.on('cancelled', forget);
    stream.on('error', forget);
    stream.on('end', () => {
      forget();
      stream.end();
    });
    stream.on('data', (frame: PeerFrame) => {
      if (from !== null) {
        this.#receive(stream, from, frame);
        return;
      }
      if (frame.greeting === undefined) {
        this.#refuse(stream, status.INVALID_ARGUMENT, 'a stream begins with a greeting');
        return;
      }
      const accepted = acceptGreeting(self, frame.greeting);
      if (!accepted.ok) {
        this.#refuse(stream, status.FAILED_PRECONDITION, accepted.error);
        return;
      }
      from = accepted.value;
      stream.write({ greeting: greet(self, from) });
      this.#links.get(from)?.wake();
    });
  }

  #receive(stream: Incoming, from: MemberId, frame: PeerFrame): void {
    const messages: Message[] = [];
    for (const wire of frame.messages?.messages ?? []) {
      const message = fromWire(from, this.#options.self.member, wire);
      if (message === null) {
        const reason = `member ${from} sent a message that this version cannot read`;
        this.#refuse(stream, status.INVALID_ARGUMENT, reason);
        return;
      }
      messages.push(message);
    }
    if (messages.length > 0) this.#receiver?.receive(messages);
  }

  #refuse(stream: Incoming, code: status, reason: string): void {
    this.#incoming.delete(stream);
    this.#options.events.refused(reason);
    stream.removeAllListeners('data');
    stream.emit('error', { code, details: reason });
  }
}

/** HOST:PORT or unix:PATH where a member listens; null if nobody has told. */
function addressOf(configuration: Configuration, member: MemberId): string | null {
  const known = configuration.addresses.find((each) => each.member === member);
  return known?.peers[0] ?? null;
}
