import { connect, type Socket } from 'node:net';

/** A socket waits so long for the other side to take more, or to end. */
const patience = 200;

/** A connection of a hostile client: it sends what it likes, and need not read. */
export class RawConnection {
  readonly #socket: Socket;
  /** Bytes that came back, at most so many: enough to see a refusal. */
  readonly received: Buffer[] = [];
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
    });
    socket.on('data', (data) => {
      if (this.received.length < 100) this.received.push(data);
    });
  }

  /** Connects to HOST:PORT. */
  static async to(address: string): Promise<RawConnection> {
    const colon = address.lastIndexOf(':');
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
    const connection = new RawConnection(socket);
    await connection.#until('connect');
    return connection;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sends bytes; resolves when they are on their way, or nobody takes them any more. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      if (this.#closed || !this.#socket.writable) return;
      if (!this.#socket.write(part)) await this.#until('drain');
    }
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Sends no more, but would read. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Waits for the other side to close. */
  async ends(): Promise<boolean> {
    if (!this.#closed) await this.#until('close');
    return this.#closed;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Waits for something to happen, or for the end, or for as long as a hostile client does. */
  #until(event: 'connect' | 'drain' | 'close'): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#socket.off(event, done).off('close', done);
        resolve();
      };
      const timer = setTimeout(done, patience);
      this.#socket.on(event, done).on('close', done);
    });
  }
}
