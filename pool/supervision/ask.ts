import { connect } from 'node:net';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { readLines } from './lines.ts';
import { type Request, type Response, ResponseSchema } from './messages.ts';

/** The last message of a supervisor. */
export type LastResponse = Exclude<Response, { kind: 'progress' }>;

/** Why there was no last message. */
export interface AskFailure {
  /** `away`: nobody serves the socket. `lost`: it ended before its answer. `stopped`: by `signal`. */
  readonly kind: 'away' | 'lost' | 'stopped';
  readonly detail: string;
}

/** Asks the supervisor behind a socket, and tells what it says on the way. */
export function askSupervisor(
  path: string,
  request: Request,
  {
    onProgress = () => undefined,
    signal,
  }: { onProgress?: (text: string) => void; signal?: AbortSignal | undefined } = {},
): Promise<Result<LastResponse, AskFailure>> {
  return new Promise((resolve) => {
    let connected = false;
    const socket = connect(path);
    const end = (outcome: Result<LastResponse, AskFailure>): void => {
      signal?.removeEventListener('abort', stop);
      socket.destroy();
      resolve(outcome);
    };
    const stop = (): void => end(fail({ kind: 'stopped', detail: 'nobody waits for it' }));
    signal?.addEventListener('abort', stop);
    socket.once('connect', () => {
      connected = true;
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.once('error', (error) =>
      end(fail({ kind: connected ? 'lost' : 'away', detail: error.message })),
    );
    socket.once('close', () => end(fail({ kind: 'lost', detail: `${path} was closed` })));
    readLines(socket, (line) => {
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ResponseSchema), line);
      if (!parsed.success)
        return end(fail({ kind: 'lost', detail: `${path} answered with something else` }));
      const response = parsed.output;
      if (response.kind === 'progress') onProgress(response.text);
      else end(ok(response));
    });
  });
}
