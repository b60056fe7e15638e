import { type ChildProcess, spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { createServer, type Socket } from 'node:net';

/*
 * The lab's agent in the control domain: runs commands for the lab over TCP. One connection is
 * one command. The lab sends a request, a line of JSON, followed by the command's standard input;
 * the agent answers with frames: a kind (1 byte), a length (4 bytes, big endian), and that many
 * bytes. A connection that closes early takes its command with it. It is for labs only: who
 * knows the token is root here.
 */

/** Frame kinds: what the command printed, and its end, as JSON. */
const frames = { stdout: 1, stderr: 2, end: 3 } as const;

/** Longest request line: a command line as long as Linux accepts for one argument. */
const requestMax = 256 * 2 ** 10;

/** Commands at once; the lab runs a handful. */
const connectionsMax = 64;

/** For how long the outputs of an ended command, still held open, have to be silent. */
const drainTime = 500;

interface Request {
  readonly token: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Bytes of standard input that follow; -1: whatever comes while the command runs. */
  readonly inputLength: number;
  /** Bytes of each output that are sent; the rest is dropped, and the end says so. */
  readonly outputMax: number;
  /** Milliseconds after which the command is killed; 0: never. */
  readonly timeout: number;
}

const [port, token] = (process.argv[2] ?? '').split(':');
if (port === undefined || token === undefined) throw new Error('usage: agent.mjs PORT:TOKEN');

const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  readRequest(socket, (request, rest) => serve(socket, request, rest));
});
server.maxConnections = connectionsMax;
server.listen(Number(port), '0.0.0.0', () => console.log(`flotilla-host: the agent listens`));

function readRequest(socket: Socket, then: (request: Request, rest: Buffer) => void): void {
  let received = Buffer.alloc(0);
  const listen = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    const end = received.indexOf('\n');
    if (end < 0 && received.length > requestMax) socket.destroy();
    if (end < 0) return;
    socket.off('data', listen);
    socket.pause();
    const request = parse(received.toString('utf8', 0, end));
    if (request === undefined || !sameToken(request.token)) return void socket.destroy();
    then(request, received.subarray(end + 1));
  };
  socket.on('data', listen);
}

/** Reads a request; what is not JSON comes from a stranger. */
function parse(line: string): Request | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function sameToken(offered: string): boolean {
  const [a, b] = [Buffer.from(`${offered}`), Buffer.from(`${token}`)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function serve(socket: Socket, request: Request, early: Buffer): void {
  const [command, ...args] = request.argv;
  const environment = { ...process.env, ...request.environment };
  const child = spawn(command ?? 'true', args, { detached: true, env: environment, cwd: '/root' });
  const kill = (): void => killGroup(child);
  let timedOut = false;
  const expire = (): void => {
    timedOut = true;
    kill();
  };
  const timer = request.timeout > 0 ? setTimeout(expire, request.timeout) : undefined;
  const outputs = [
    forward(child, 'stdout', socket, request.outputMax),
    forward(child, 'stderr', socket, request.outputMax),
  ];
  feed(child, socket, request.inputLength, early);

  let ended = false;
  const end = (outcome: { code: number; error?: string }): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    socket.off('close', kill);
    const truncated = outputs.some((output) => output.truncated);
    send(socket, frames.end, Buffer.from(JSON.stringify({ ...outcome, timedOut, truncated })));
    socket.end();
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  socket.on('close', kill);
  child.on('error', (error) => end({ code: 127, error: error.message }));
  // A shell's way to say that a signal ended it: 128 and the signal's number; 137 is a kill.
  child.on('close', (code) => end({ code: code ?? 137 }));
  // What it printed may still be on its way, and what it started may hold its outputs for ever.
  child.on('exit', (code) => whenQuiet(child, () => end({ code: code ?? 137 })));
}

/**
 * Calls back when the outputs have been silent for `drainTime`. On a busy processor a timer may
 * run late, before output that came in time is read: so what is there is read once more first.
 */
function whenQuiet(child: ChildProcess, then: () => void): void {
  const afterReading = (): void => void setImmediate(then);
  let timer = setTimeout(afterReading, drainTime);
  for (const output of [child.stdout, child.stderr])
    output?.on('data', () => {
      clearTimeout(timer);
      timer = setTimeout(afterReading, drainTime);
    });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The whole group has ended already.
  }
}

/** Sends an output of the command until its bound, and no faster than the lab takes it. */
function forward(
  child: ChildProcess,
  name: 'stdout' | 'stderr',
  socket: Socket,
  bound: number,
): { readonly truncated: boolean } {
  const state = { truncated: false };
  let sent = 0;
  const stream = child[name];
  stream?.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, bound - sent);
    sent += part.length;
    if (part.length < chunk.length) state.truncated = true;
    if (part.length > 0 && !send(socket, frames[name], part)) {
      stream.pause();
      socket.once('drain', () => stream.resume());
    }
  });
  return state;
}

/** Passes on the standard input; errors mean that the command does not read it, which it may. */
function feed(child: ChildProcess, socket: Socket, length: number, early: Buffer): void {
  const input = child.stdin;
  if (input === null) return;
  input.on('error', () => socket.resume());
  let left = length < 0 ? Number.POSITIVE_INFINITY : length;
  const pass = (chunk: Buffer): void => {
    const part = chunk.subarray(0, Math.min(left, chunk.length));
    left -= part.length;
    if (part.length > 0 && input.writable && !input.write(part)) {
      socket.pause();
      input.once('drain', () => socket.resume());
    }
    if (left === 0) input.end();
  };
  pass(early);
  socket.on('data', pass);
  socket.resume();
}

function send(socket: Socket, kind: number, payload: Buffer): boolean {
  if (!socket.writable) return true;
  const head = Buffer.alloc(5);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(payload.length, 1);
  return socket.write(Buffer.concat([head, payload]));
}
