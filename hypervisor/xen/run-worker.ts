import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { serveHypervisor } from '../remote/server.ts';
import { LibxlContext } from './context.ts';
import { hotplugScript } from './domain-config.ts';
import { loadLibraries } from './libraries.ts';
import { LibxlHypervisor } from './libxl.ts';
import { workerDescriptor, workerReady } from './worker-protocol.ts';

/**
 * Runs the process that holds libxl. Whoever starts it talks to it over the socket that it inherits,
 * and it ends with that socket, at once: what libxl was doing for a caller that is gone must not
 * go on beside what the next caller does. The next worker sees a half-built domain and can
 * destroy it. Where it cannot serve, it says why and ends with 1.
 */
export async function runWorker(): Promise<void> {
  const failure = await serve();
  if (failure === null) return;
  process.stderr.write(`${failure}\n`);
  process.exitCode = 1;
}

async function serve(): Promise<string | null> {
  const libraries = loadLibraries();
  if (!libraries.ok) return libraries.error;
  if (!existsSync(hotplugScript))
    return `libxl runs ${hotplugScript} for every device, and it is not there: install coreutils`;
  const context = await LibxlContext.open(libraries.value);
  if (!context.ok)
    return `this machine is not a control domain of Xen, or xenstored does not run: ${context.error.log}`;
  await context.value.free();
  const socket = new Socket({ fd: workerDescriptor });
  serveHypervisor(socket, new LibxlHypervisor(libraries.value), null);
  // process.exit would wait for the threads on which libxl works.
  socket.once('close', () => process.kill(process.pid, 'SIGKILL'));
  process.stdout.write(`${workerReady}\n`);
  return null;
}
