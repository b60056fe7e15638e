import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often one that waits looks whether the one before it is done, in milliseconds. */
const lookInterval = 250;

/**
 * Waits until no other process of this machine holds the lock of this name, and holds it until it
 * is disposed of or this process ends, however it ends: the lock is a socket with an abstract
 * address (unix(7)), which only one process can have and which leaves no file behind. `waiting` is
 * called once if the lock is not free.
 */
export async function machineLock(name: string, waiting: () => void): Promise<AsyncDisposable> {
  for (let looks = 0; ; looks += 1) {
    const server = createServer((connection) => connection.destroy());
    server.listen(`\0${name}`);
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (free) {
      server.unref();
      return {
        [Symbol.asyncDispose]: async () => {
          server.close();
          await once(server, 'close');
        },
      };
    }
    if (looks === 0) waiting();
    await sleep(lookInterval);
  }
}
