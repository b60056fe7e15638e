import { once } from 'node:events';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { readLines } from './lines.ts';
import { type Request, RequestSchema, type Response, type Supervised } from './messages.ts';

/** More who ask at once are turned away: a script that forgot to close would hold descriptors. */
const connectionsMax = 16;

/** Why a service was not restarted, and what to do. */
export interface RestartFailure {
  readonly message: string;
  readonly remedy: string;
}

/** What stands behind a supervisor's socket. */
export interface SupervisorHandlers {
  readonly host: string;
  status(): readonly Supervised[];
  /** Restarts a service; resolves when it serves again. `signal`: who asked has gone. */
  restart(
    service: string,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Result<{ readonly away: number; readonly id: number | null }, RestartFailure>>;
}

/** A supervisor's socket that is served. */
export interface ServedSupervisor {
  close(): Promise<void>;
}

/**
 * Serves a supervisor's socket, for its user alone. Fails where another supervisor serves it: so no two
 * of them keep the same services. A file that one left which was killed is replaced.
 */
export async function serveSupervisor(
  path: string,
  handlers: SupervisorHandlers,
): Promise<Result<ServedSupervisor, string>> {
  if (await isServed(path))
    return fail(`another supervisor serves ${path}: stop it, or name another socket`);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    answer(socket, handlers);
  });
  server.maxConnections = connectionsMax;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(path, { force: true });
    server.listen(path);
    await once(server, 'listening');
    await chmod(path, 0o600);
  } catch (error) {
    server.close();
    return fail(`cannot serve ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return ok({
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  });
}

function answer(socket: Socket, handlers: SupervisorHandlers): void {
  const gone = new AbortController();
  let asked = false;
  const say = (response: Response): void => {
    if (!socket.writable) return;
    const line = `${JSON.stringify(response)}\n`;
    if (response.kind === 'progress') socket.write(line);
    else socket.end(line);
  };
  socket.on('error', () => socket.destroy());
  socket.once('close', () => gone.abort());
  readLines(socket, (line) => {
    if (asked) return;
    asked = true;
    const request = v.safeParse(v.pipe(v.string(), v.parseJson(), RequestSchema), line);
    if (request.success) void obey(request.output, handlers, say, gone.signal);
    else
      say({
        kind: 'failed',
        message:
          `the supervisor does not know what it was asked: ${v.summarize(request.issues)}`.slice(
            0,
            1000,
          ),
        remedy: 'Ask with a flotilla of the same version.',
      });
  });
}

async function obey(
  request: Request,
  handlers: SupervisorHandlers,
  say: (response: Response) => void,
  signal: AbortSignal,
): Promise<void> {
  if (request.ask === 'status')
    return say({ kind: 'status', host: handlers.host, services: [...handlers.status()] });
  const { service } = request;
  const tell = (text: string): void => say({ kind: 'progress', text });
  const restarted = await handlers.restart(service, tell, signal);
  if (restarted.ok) say({ kind: 'restarted', service, ...restarted.value });
  else say({ kind: 'failed', ...restarted.error });
}

/** True if somebody answers on the socket; a file that a killed supervisor left does not. */
async function isServed(path: string): Promise<boolean> {
  const probe = connect(path);
  const answered = await once(probe, 'connect').then(
    () => true,
    () => false,
  );
  probe.destroy();
  return answered;
}
