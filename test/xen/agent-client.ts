import { connect, type Socket } from 'node:net';
import * as v from 'valibot';
import { shellQuote } from '../../deploy/image/command.ts';

/** Where an agent listens on this machine, and what it wants to hear. */
export interface AgentEndpoint {
  readonly port: number;
  readonly token: string;
}

/** How a command is to be run. */
export interface ExecOptions {
  /** Milliseconds after which the command is killed. */
  readonly timeout?: number;
  /** The command's standard input. */
  readonly input?: Buffer | string;
  /** Bytes of each output that are kept. */
  readonly outputMax?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** How a command ended. */
export interface ExecResult {
  /** The exit code; 137 when it was killed, 127 when it could not be started. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly timedOut: boolean;
  /** Whether an output was longer than what was kept. */
  readonly truncated: boolean;
}

/** The agent did not answer as an agent does: the host is down, not yet up, or hangs. */
export class AgentUnreachable extends Error {
  override readonly name = 'AgentUnreachable';
}

/** Two minutes: emulated, under load, `xl create` alone takes twenty seconds. */
export const defaultTimeout = 120_000;

const defaultOutputMax = 2 ** 20;

/** How much longer than its command the agent may take to answer before it counts as hung. */
const answerMargin = 60_000;

const End = v.object({
  code: v.number(),
  error: v.optional(v.string()),
  timedOut: v.boolean(),
  truncated: v.boolean(),
});

/** Runs a command in a control domain and waits for its end. Rejects with `AgentUnreachable`. */
export function execute(
  endpoint: AgentEndpoint,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const timeout = options.timeout ?? defaultTimeout;
  const input = Buffer.from(options.input ?? '');
  const socket = open(endpoint, {
    argv,
    environment: options.environment ?? {},
    inputLength: input.length,
    outputMax: options.outputMax ?? defaultOutputMax,
    timeout,
  });
  socket.write(input);
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const command = argv.join(' ').slice(0, 100);
    const fail = (why: string): void => {
      socket.destroy();
      reject(new AgentUnreachable(`"${command}": ${why}`));
    };
    const timer = setTimeout(() => fail('the agent does not answer'), timeout + answerMargin);
    const done = (end: v.InferOutput<typeof End>): void => {
      if (end.error !== undefined) stderr.push(Buffer.from(`${end.error}\n`));
      const { code, timedOut, truncated } = end;
      resolve({
        code,
        timedOut,
        truncated,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
      });
      socket.destroy();
    };
    readFrames(socket, (kind, payload) => {
      if (kind === 1) stdout.push(payload);
      if (kind === 2) stderr.push(payload);
      if (kind === 3) done(v.parse(End, JSON.parse(payload.toString())));
    });
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => {
      clearTimeout(timer);
      fail('the agent closed the connection');
    });
  });
}

/** A command that runs attached to a person's terminal. */
export interface Session {
  /** Bytes that the person typed. */
  write(chunk: Buffer): void;
  /** Ends the command. */
  close(): void;
}

/** Runs a command with a terminal of its own and streams what it prints, until it or we end it. */
export function attach(
  endpoint: AgentEndpoint,
  argv: readonly string[],
  size: { readonly rows: number; readonly columns: number },
  on: { readonly output: (chunk: Buffer) => void; readonly end: () => void },
): Session {
  const prepare = `stty rows ${size.rows} cols ${size.columns}; exec "$@"`;
  const inner = ['sh', '-c', prepare, 'sh', ...argv];
  const quoted = inner.map(shellQuote).join(' ');
  const socket = open(endpoint, {
    argv: ['script', '-q', '-e', '-c', quoted, '/dev/null'],
    environment: { TERM: process.env.TERM ?? 'xterm' },
    inputLength: -1,
    outputMax: Number.MAX_SAFE_INTEGER,
    timeout: 0,
  });
  readFrames(socket, (kind, payload) => {
    if (kind !== 3) on.output(payload);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', on.end);
  return { write: (chunk) => void socket.write(chunk), close: () => void socket.destroy() };
}

function open(endpoint: AgentEndpoint, request: object): Socket {
  const socket = connect(endpoint.port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.write(`${JSON.stringify({ token: endpoint.token, ...request })}\n`);
  return socket;
}

function readFrames(socket: Socket, take: (kind: number, payload: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5) {
      const length = pending.readUInt32BE(1);
      if (pending.length < 5 + length) return;
      take(pending.readUInt8(0), pending.subarray(5, 5 + length));
      pending = pending.subarray(5 + length);
    }
  });
}
