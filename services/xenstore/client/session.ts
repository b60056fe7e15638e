import { fail, ok, type Result } from '../../../base/result.ts';
import { textOf } from '../core/payload.ts';
import { messageTypes, type Packet } from '../core/wire.ts';
import { backOff } from './back-off.ts';
import { type Asked, Exchange, type Reply } from './exchange.ts';
import type { ClientFailure } from './failure.ts';
import type { Link, LinkListener, Transport } from './link.ts';
import { nothing, strings } from './nodes.ts';
import { type ClientOptions, reconnectBackOff } from './options.ts';
import { Watch } from './watch.ts';

interface Line {
  readonly link: Link;
  readonly exchange: Exchange;
}

interface Watched {
  readonly watch: Watch;
  readonly path: string;
  readonly token: string;
  readonly depth: number | undefined;
}

function disconnected(reason: string): ClientFailure {
  return { code: 'DISCONNECTED', message: `the connection to xenstored is over: ${reason}` };
}

/** The connection of a client, and after it is lost the next one, with the watches set again. */
export class Session {
  readonly #transport: Transport;
  readonly #options: ClientOptions;
  readonly #watched = new Map<string, Watched>();
  #line: Line | null = null;
  #failure: ClientFailure = disconnected('it was never there');
  #closed = false;
  #nextToken = 1;

  constructor(transport: Transport, options: ClientOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  /** Which connection it is; a transaction belongs to one, and is gone with it. */
  get line(): object | null {
    return this.#line;
  }

  /** Connects for the first time. */
  open(): Promise<Result<void, ClientFailure>> {
    return this.#connect();
  }

  /** Sends a request; given a `line`, only if that is still the connection. */
  request(asked: Asked, line: object | null = this.#line): Promise<Reply> {
    if (this.#line === null || line !== this.#line) return Promise.resolve(fail(this.#failure));
    return this.#line.exchange.request(asked);
  }

  /** Sets a watch, in the way of the newest specification where there is a depth. */
  async watch(path: string, depth: number | undefined): Promise<Result<Watch, ClientFailure>> {
    const token = `w${this.#nextToken}`;
    this.#nextToken += 1;
    const watch = new Watch(path, this.#options.watchBacklogMax, () => this.#unwatch(token));
    const watched: Watched = { watch, path, token, depth };
    this.#watched.set(token, watched);
    const set = await this.#set(watched);
    if (set.ok) return ok(watch);
    this.#watched.delete(token);
    return set;
  }

  /** Sets every watch of the server's side free; what has been watched ends. */
  async resetWatches(): Promise<Result<void, ClientFailure>> {
    const before = [...this.#watched.values()];
    const reply = await this.request({
      name: 'RESET_WATCHES',
      transactionId: 0,
      payload: Uint8Array.of(0),
    });
    if (!reply.ok) return reply;
    for (const { token, watch } of before) {
      this.#watched.delete(token);
      watch.end({ code: 'ENOENT', message: `the watch of ${watch.path} was reset` });
    }
    return ok(undefined);
  }

  /** Ends the connection; whatever waits fails, and watches end. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const line = this.#line;
    line?.link.close();
    this.#lose(disconnected('the client has closed it'));
    this.#endWatches();
  }

  async #connect(): Promise<Result<void, ClientFailure>> {
    let line: Line | null = null;
    // A link may bring something, or end, before its transport has said that it is there.
    let early: string | null = null;
    const listener: LinkListener = {
      packet: (packet) => {
        if (line !== null) this.#take(line, packet);
      },
      refused: (requestId, error) => line?.exchange.refuse(requestId, error),
      closed: (reason) => {
        early = reason;
        if (line !== null) this.#lost(line, reason);
      },
    };
    const link = await this.#transport.connect(listener);
    if (!link.ok) {
      this.#failure = disconnected(link.error);
      return fail(this.#failure);
    }
    if (this.#closed || early !== null) {
      link.value.close();
      return fail(disconnected(early ?? 'the client has closed it'));
    }
    line = { link: link.value, exchange: new Exchange(link.value, this.#options) };
    this.#line = line;
    return ok(undefined);
  }

  #take(line: Line, packet: Packet): void {
    if (line !== this.#line) return;
    if (packet.type === messageTypes.WATCH_EVENT) {
      const [path = '', token = ''] = textOf(packet.payload).split('\0');
      this.#watched.get(token)?.watch.changed(path);
      return;
    }
    const fault = line.exchange.reply(packet);
    if (fault === null) return;
    line.link.close();
    this.#lost(line, `the server sent ${fault}`);
  }

  #lost(line: Line, reason: string): void {
    if (line !== this.#line) return;
    this.#lose(disconnected(reason));
    if (this.#options.reconnectAttempts === 0) this.#endWatches();
    else void this.#reconnect();
  }

  #lose(failure: ClientFailure): void {
    const line = this.#line;
    this.#line = null;
    this.#failure = failure;
    line?.exchange.end(failure);
  }

  #endWatches(): void {
    const all = [...this.#watched.values()];
    this.#watched.clear();
    for (const { watch } of all) watch.end(this.#failure);
  }

  async #reconnect(): Promise<void> {
    const { reconnectAttempts, random } = this.#options;
    for (let attempt = 1; attempt <= reconnectAttempts && !this.#closed; attempt += 1) {
      await backOff(reconnectBackOff, attempt, random);
      if (this.#closed) return;
      const connected = await this.#connect();
      if (!connected.ok) continue;
      await this.#setAgain();
      return;
    }
    if (this.#line === null) this.#endWatches();
  }

  /** Sets the watches of the old connection on the new one. */
  async #setAgain(): Promise<void> {
    const line = this.#line;
    const all = [...this.#watched.values()];
    for (const { watch } of all) watch.missed();
    await Promise.all(
      all.map(async (watched) => {
        const set = await this.#set(watched);
        // Where the connection is lost again, the next one sets it.
        if (set.ok || line !== this.#line) return;
        this.#watched.delete(watched.token);
        watched.watch.end(set.error);
      }),
    );
  }

  async #set({ path, token, depth }: Watched): Promise<Result<void, ClientFailure>> {
    const levels = depth === undefined ? [] : [String(depth)];
    const payload = strings('WATCH', path, token, ...levels);
    if (!payload.ok) return payload;
    const late = () => {
      if (!this.#watched.has(token)) void this.#unset(path, token);
    };
    return nothing(
      await this.request({ name: 'WATCH', transactionId: 0, payload: payload.value, late }),
    );
  }

  #unwatch(token: string): Promise<Result<void, ClientFailure>> {
    const watched = this.#watched.get(token);
    this.#watched.delete(token);
    // A connection that is not there keeps no watch.
    if (watched === undefined || this.#line === null) return Promise.resolve(ok(undefined));
    return this.#unset(watched.path, token);
  }

  async #unset(path: string, token: string): Promise<Result<void, ClientFailure>> {
    const payload = strings('UNWATCH', path, token);
    if (!payload.ok) return payload;
    const asked: Asked = { name: 'UNWATCH', transactionId: 0, payload: payload.value };
    return nothing(await this.request(asked));
  }
}
