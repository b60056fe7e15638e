import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a wire does with what comes from one end. */
export type Passage =
  | 'open'
  /** Takes nothing from the sender any more, and delivers nothing: the sender's bytes pile up. */
  | 'stalled';

/** The directions of a wire: from whoever connects, or towards it. */
export type Direction = 'outward' | 'homeward';

interface Pair {
  readonly caller: Socket;
  readonly callee: Socket;
}

/**
 * A piece of network between two processes that fails on demand: a TCP proxy, whose connections
 * can be closed, refused, or stalled in one direction or both.
 */
export class Wire {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<Pair>();
  readonly #passages: Record<Direction, Passage> = { outward: 'open', homeward: 'open' };
  #cut = false;

  private constructor(target: string) {
    const colon = target.lastIndexOf(':');
    this.#target = { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
    this.#server = createServer((caller) => this.#join(caller));
  }

  /** Listens on a free port of loopback, and passes everything on to HOST:PORT. */
  static async to(target: string): Promise<Wire> {
    const wire = new Wire(target);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  /** HOST:PORT of this end. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the wire is closed');
    return `127.0.0.1:${address.port}`;
  }

  /** Lets nothing pass in these directions; connections stay, and new ones are taken. */
  stall(...directions: readonly Direction[]): void {
    for (const direction of directions) this.#passages[direction] = 'stalled';
    for (const pair of this.#pairs) this.#apply(pair);
  }

  /** Closes all connections, and every new one at once. */
  cut(): void {
    this.#cut = true;
    this.#reset();
  }

  /** Lets everything pass again; what was stalled is delivered. */
  heal(): void {
    this.#cut = false;
    this.#passages.outward = 'open';
    this.#passages.homeward = 'open';
    for (const pair of this.#pairs) this.#apply(pair);
  }

  close(): void {
    this.#server.close();
    this.#reset();
  }

  #reset(): void {
    for (const { caller, callee } of this.#pairs) {
      caller.destroy();
      callee.destroy();
    }
    this.#pairs.clear();
  }

  #join(caller: Socket): void {
    if (this.#cut) {
      caller.destroy();
      return;
    }
    const callee = connect({ ...this.#target, noDelay: true });
    caller.setNoDelay(true);
    const pair = { caller, callee };
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      caller.destroy();
      callee.destroy();
    };
    forward(caller, callee, end);
    forward(callee, caller, end);
    this.#apply(pair);
  }

  #apply({ caller, callee }: Pair): void {
    if (this.#passages.outward === 'stalled') caller.pause();
    else caller.resume();
    if (this.#passages.homeward === 'stalled') callee.pause();
    else callee.resume();
  }
}

/** Small messages only flow here: a slow reader's bytes wait in the socket's own buffer. */
function forward(from: Socket, to: Socket, end: () => void): void {
  from.on('data', (data) => to.write(data));
  from.on('end', end);
  from.on('error', end);
  from.on('close', end);
}
