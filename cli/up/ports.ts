import { createServer } from 'node:net';
import { fail, ok, type Result } from '../../base/result.ts';
import { type HostPorts, portNames } from './layout.ts';

/** Takes `count` free TCP ports of an address, all of them at once, so that no two are the same. */
export async function freePorts(address: string, count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, address, resolve);
    });
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') ports.push(bound.port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Chooses the ports of one host. */
export async function chooseHostPorts(address: string): Promise<HostPorts> {
  const [vmLifecycle = 0, storage = 0, network = 0, xenstore = 0, consensus = 0, peer = 0] =
    await freePorts(address, portNames.length);
  return { 'vm-lifecycle': vmLifecycle, storage, network, xenstore, consensus, peer };
}

/** Whether the ports can be listened on now; the failure names one that cannot. */
export async function portsAreFree(
  address: string,
  ports: HostPorts,
): Promise<Result<void, string>> {
  for (const name of portNames) {
    const port = ports[name];
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, address, () => server.close(() => resolve(true)));
    });
    if (!free) return fail(`${address}:${port}, the port of ${name}, is taken by another program`);
  }
  return ok(undefined);
}
