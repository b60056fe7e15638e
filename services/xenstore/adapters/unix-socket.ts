import { chmodSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes, milliseconds } from '../../../base/units.ts';
import { errorName, wouldWait } from '../../../linux/errno.ts';
import { Sockets } from '../../../linux/sockets.ts';
import type { Daemon } from './daemon.ts';
import { SocketClient } from './socket-client.ts';
import { SocketSet } from './socket-set.ts';

/** How long a socket file is given to show that somebody serves it already. */
const probePatience = milliseconds(1_000);

/** What is read in one go, of one client after the other. */
const readMax: Bytes = bytes(64 * 2 ** 10);

/** So many clients are accepted in a turn; the others wait for the next one. */
const acceptsMax = 64;

/** How long no client is accepted after one could not be: for want of descriptors, mostly. */
const acceptPause = milliseconds(100);

/** A socket that is being served. */
export interface ServedSocket {
  /** The descriptor that listens. */
  readonly descriptor: number;
  close(): void;
}

/**
 * Serves clients of domain 0 on a Unix socket, as `xenstore-ls` and libxenstore connect to. The socket
 * is open to the owner of the process alone: who may connect may do everything. With the descriptor
 * that another process has listened on, its clients are served on too.
 */
export async function serveUnixSocket(
  daemon: Daemon,
  path: string,
  onTrouble: (message: string) => void,
  inherited: number | null = null,
): Promise<Result<ServedSocket, string>> {
  const sockets = new Sockets();
  const listening =
    inherited === null ? await listenAt(sockets, path) : takeOver(sockets, inherited);
  if (!listening.ok) return listening;
  const descriptor = listening.value;
  const set = new SocketSet(() => daemon.free);
  const clients = new Set<SocketClient>();
  const shared = {
    ...{ daemon, sockets, set, onTrouble, buffer: Buffer.allocUnsafeSlow(readMax) },
    onGone: (client: SocketClient) => clients.delete(client),
  };
  const accept = new Accepting(sockets, set, descriptor, onTrouble, (accepted) =>
    clients.add(new SocketClient(shared, accepted, null)),
  );
  for (const [connection, link] of daemon.handedOver)
    if (takeOver(sockets, link.descriptor).ok)
      clients.add(new SocketClient(shared, link.descriptor, { connection, link }));
  return ok({
    descriptor,
    close: () => {
      accept.stop();
      for (const client of clients) client.end();
      set.close();
      sockets.close(descriptor);
      rmSync(path, { force: true });
    },
  });
}

/**
 * Fails where somebody serves the socket already. To be asked before a xenstored touches its data: they
 * may be those of one that is at work.
 */
export async function isFree(path: string): Promise<Result<void, string>> {
  if (!(await isServed(path))) return ok(undefined);
  return fail(`${path} is served by another xenstored; stop that one, or choose another --socket`);
}

async function listenAt(sockets: Sockets, path: string): Promise<Result<number, string>> {
  const free = await isFree(path);
  if (!free.ok) return free;
  rmSync(path, { force: true });
  const bound = sockets.bind(path);
  if (!bound.ok) return fail(`cannot listen on ${path}: ${bound.error}`);
  chmodSync(path, 0o600);
  const listening = sockets.listen(bound.value);
  if (listening.ok) return bound;
  sockets.close(bound.value);
  return fail(`cannot listen on ${path}: ${listening.error}`);
}

/** Goes on with a descriptor that another process has handed over, and that the next program is not to have. */
function takeOver(sockets: Sockets, descriptor: number): Result<number, string> {
  const taken = sockets.keepAcrossExec(descriptor, false);
  if (taken.ok) return ok(descriptor);
  return fail(`descriptor ${descriptor} was handed over and cannot be used: ${taken.error}`);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.setTimeout(probePatience, () => answer(true));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

/** Takes in those who connect. */
class Accepting {
  readonly #sockets: Sockets;
  readonly #set: SocketSet;
  readonly #listening: number;
  readonly #onTrouble: (message: string) => void;
  readonly #onClient: (descriptor: number) => void;
  readonly #token: number;
  #pause: NodeJS.Timeout | null = null;

  constructor(
    sockets: Sockets,
    set: SocketSet,
    listening: number,
    onTrouble: (message: string) => void,
    onClient: (descriptor: number) => void,
  ) {
    this.#sockets = sockets;
    this.#set = set;
    this.#listening = listening;
    this.#onTrouble = onTrouble;
    this.#onClient = onClient;
    this.#token = set.add(listening, () => this.#accept());
  }

  /** Nobody is taken in any more. */
  stop(): void {
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#set.remove(this.#listening, this.#token);
  }

  #accept(): void {
    for (let accepted = 0; accepted < acceptsMax; accepted += 1) {
      const descriptor = this.#sockets.accept(this.#listening);
      if (descriptor === wouldWait) return;
      if (descriptor >= 0) this.#onClient(descriptor);
      else {
        this.#wait(errorName(descriptor));
        return;
      }
    }
  }

  /** Whoever waits to be accepted is found again at once: without a pause this would be all that is done. */
  #wait(error: string): void {
    this.#onTrouble(
      `a client cannot be accepted: ${error}; it is tried again in ${acceptPause} ms`,
    );
    this.#look(false);
    this.#pause = setTimeout(() => this.#look(true), acceptPause);
  }

  #look(readable: boolean): void {
    this.#set.change(this.#listening, this.#token, { readable, writable: false });
  }
}
