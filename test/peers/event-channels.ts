import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** As in `hypervisor.c`. */
const channelBase = 1000;
const virqPort = 1;

/** The other end of the event channels of a daemon whose hypervisor is pretended. */
export class EventChannels {
  readonly #kicks: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(directory: string, listener: (domain: number) => void) {
    const { O_RDWR, O_NONBLOCK } = constants;
    this.#kicks = openSync(join(directory, 'kicks'), O_RDWR | O_NONBLOCK);
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      receive(socket, listener);
    });
  }

  /** `listener` is told of each domain that the daemon notifies. The daemon has begun already. */
  static open(directory: string, listener: (domain: number) => void): Promise<EventChannels> {
    const channels = new EventChannels(directory, listener);
    return new Promise((resolve) =>
      channels.#server.listen(join(directory, 'kicked'), () => resolve(channels)),
    );
  }

  /** The domain signals its channel. */
  kick(domain: number): void {
    this.#pend(channelBase + domain);
  }

  /** VIRQ_DOM_EXC: something became of a domain. */
  tellOfDomains(): void {
    this.#pend(virqPort);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    closeSync(this.#kicks);
  }

  #pend(port: number): void {
    const word = Buffer.alloc(4);
    word.writeUInt32LE(port);
    writeSync(this.#kicks, word);
  }
}

function receive(socket: Socket, listener: (domain: number) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  // The daemon that is killed leaves a reset connection behind.
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    const whole = rest.length - (rest.length % 4);
    const domains = new Set<number>();
    for (let at = 0; at < whole; at += 4) domains.add(rest.readUInt32LE(at) - channelBase);
    rest = rest.subarray(whole);
    for (const domain of domains) listener(domain);
  });
}
