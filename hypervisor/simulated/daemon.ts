import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { fail, ok, type Result } from '../../base/result.ts';
import { serveHypervisor } from '../remote/server.ts';
import { createSimulated, type SimulatedOptions } from './in-process.ts';

/** How a simulated host is made that other processes use. */
export interface DaemonOptions extends SimulatedOptions {
  /** Path of the Unix socket; made by the daemon, readable by its user alone. */
  readonly socketPath: string;
}

/** A simulated host that is on. */
export interface RunningDaemon {
  /** Switches the host off: its domains are gone. */
  close(): Promise<void>;
}

/**
 * Switches a simulated host on and serves it on a Unix socket. Its domains live as long as this
 * process, whoever connects and goes: a service's end does not touch them, and this process's end
 * is the host's. Fails when another process serves the socket, or when it cannot be made.
 */
export async function runSimulatedHypervisor(
  options: DaemonOptions,
): Promise<Result<RunningDaemon, string>> {
  const { socketPath } = options;
  if (await isServed(socketPath))
    return fail(`another process serves ${socketPath}; stop it, or choose another socket`);
  const hypervisor = createSimulated(options);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    serveHypervisor(socket, hypervisor, hypervisor);
  });
  try {
    await rm(socketPath, { force: true });
    server.listen(socketPath);
    await once(server, 'listening');
    await chmod(socketPath, 0o600);
  } catch (error) {
    await hypervisor.close();
    return fail(`cannot serve ${socketPath}: ${error instanceof Error ? error.message : error}`);
  }
  return ok({
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await hypervisor.close();
      await closed;
    },
  });
}

/** True if somebody answers on the socket; a file that a killed daemon left does not. */
async function isServed(path: string): Promise<boolean> {
  const probe = connect(path);
  const answered = await once(probe, 'connect').then(
    () => true,
    () => false,
  );
  probe.destroy();
  return answered;
}
