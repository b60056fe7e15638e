import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { fail, ok, type Result } from '../../base/result.ts';
import { type HostPorts, portNames } from './pool-choice.ts';

/**
 * Ports are chosen below those that the system gives to outgoing connections (32768 and up on Linux),
 * so that no connection takes one of them while its service restarts.
 */
const lowest = 20_000;
const highest = 32_000;

/** How many blocks of ports are tried before the machine is said to have none free. */
const attempts = 50;

/** Whether a port can be listened on now. */
function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

async function areFree(address: string, ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if (!(await isFree(address, port))) return false;
  return true;
}

function hostPorts(first: number): HostPorts {
  return {
    'vm-lifecycle': first,
    storage: first + 1,
    network: first + 2,
    xenstore: first + 3,
    consensus: first + 4,
    peer: first + 5,
  };
}

/** Chooses the ports of a pool's hosts: one block of free ports, at a place that chance picks. */
export async function chooseHostPorts(
  address: string,
  hosts: number,
): Promise<readonly HostPorts[]> {
  const size = hosts * portNames.length;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const first = randomInt(lowest, highest - size);
    const block = Array.from({ length: size }, (_, index) => first + index);
    if (await areFree(address, block))
      return Array.from({ length: hosts }, (_, host) => hostPorts(first + host * portNames.length));
  }
  throw new Error(`no ${size} free ports in a row between ${lowest} and ${highest}`);
}

/** Whether the ports can be listened on now; the failure names one that cannot. */
export async function portsAreFree(
  address: string,
  ports: HostPorts,
): Promise<Result<void, string>> {
  for (const name of portNames)
    if (!(await isFree(address, ports[name])))
      return fail(`${address}:${ports[name]}, the port of ${name}, is taken by another program`);
  return ok(undefined);
}
