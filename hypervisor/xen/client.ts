import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex, type Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { assert } from '../../base/assert.ts';
import { linkedProgram } from '../../base/linked-program.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type { Hypervisor } from '../port.ts';
import { connectRemote } from '../remote/client.ts';
import { workerDescriptor, workerReady, workerThreads } from './worker-protocol.ts';

/** Longest call: building a domain of many GiB, and libxl's own waits of tens of seconds in it. */
const callTimeoutDefault = milliseconds(300_000);

/** How much of what a worker says on its way down is told to the operator. */
const lastWordsMax = 2000;

/** The command of `flotilla` by which a linked program has the worker. */
const workerCommand = 'libxl-worker';

/** How Xen is reached. */
export interface XenOptions {
  /** Starts a worker: a program and its arguments. Without it, `worker.ts` of this folder. */
  readonly worker?: readonly [string, ...string[]];
  readonly callTimeout?: Milliseconds;
}

/**
 * This host's Xen, by way of a worker process that holds libxl. The worker starts with the first
 * call, ends with this process, and is started again after it failed or a call took too long.
 * Nothing is remembered in it: domains and their devices are in Xen and xenstore.
 */
export function connectXen({
  worker = ownWorker(),
  callTimeout = callTimeoutDefault,
}: XenOptions = {}): Hypervisor {
  return connectRemote({ name: 'Xen', callTimeout, dial: () => startWorker(worker) });
}

function ownWorker(): readonly [string, ...string[]] {
  const linked = linkedProgram(import.meta.filename);
  if (linked !== null) return [process.execPath, linked, workerCommand];
  return [process.execPath, fileURLToPath(new URL('./worker.ts', import.meta.url))];
}

async function startWorker([program, ...args]: readonly [string, ...string[]]): Promise<Duplex> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      UV_THREADPOOL_SIZE: String(workerThreads),
      // libxl keeps a number unused for a minute after its domain's end; a driver domain that is
      // built anew gets its own at once. Xen itself gives out numbers in turn, so others do not.
      LIBXL_DOMID_REUSE_TIMEOUT: '0',
      // Its input is nothing, which a program that a supervisor started takes for the supervisor's end.
      FLOTILLA_SUPERVISED: undefined,
    },
  });
  const socket = child.stdio[workerDescriptor];
  assert(socket instanceof Duplex, 'the extra descriptor is a socket');
  // The socket's end is what ends the worker, and the worker's end is what ends the socket.
  socket.once('close', () => child.kill('SIGKILL'));
  child.once('exit', () => socket.destroy());
  const lastWords = collect(child.stderr);
  const outcome = await Promise.race([readiness(child), ending(child)]);
  if (outcome === workerReady) {
    child.stderr?.on('data', (chunk: Uint8Array) => process.stderr.write(chunk));
    return socket;
  }
  socket.destroy();
  const said = lastWords().trim();
  throw new Error(`its worker ${outcome}${said === '' ? '' : `: ${said}`}`);
}

async function readiness({ stdout }: ChildProcess): Promise<string> {
  assert(stdout !== null, 'the worker has an output');
  const [said] = await once(stdout, 'data');
  stdout.resume();
  return String(said).trim();
}

async function ending(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, 'close');
    return signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
  } catch (error) {
    return `did not start (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Keeps the end of what a worker complains about. */
function collect(stream: Readable | null): () => string {
  let kept = '';
  stream?.on('data', (chunk: Uint8Array) => {
    kept = (kept + Buffer.from(chunk).toString('utf8')).slice(-lastWordsMax);
  });
  return () => kept;
}
