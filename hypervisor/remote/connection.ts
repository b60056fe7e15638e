import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Milliseconds } from '../../base/units.ts';
import type { Console, DomainId, HypervisorError } from '../port.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { type CallName, callsInFlightMax, type Request, responseSchema } from './messages.ts';
import { RemoteConsole } from './remote-console.ts';

/** What a connection tells its owner. */
export interface ConnectionListener {
  /** A domain changed. */
  changed(id: DomainId): void;
  /** The connection is gone; every call on it has failed. Called once. */
  closed(): void;
}

type Answer = Result<unknown, HypervisorError>;

/** One connection to the process that holds a hypervisor: its calls, its consoles, its events. */
export class Connection {
  readonly #stream: Duplex;
  readonly #listener: ConnectionListener;
  readonly #name: string;
  readonly #reader = new FrameReader();
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #consoles = new Map<number, RemoteConsole>();
  #lastCall = 0;
  #watching = false;
  #ended = false;

  /** Takes over an open stream; `name` is what errors call the other side. */
  constructor(stream: Duplex, name: string, listener: ConnectionListener) {
    this.#stream = stream;
    this.#name = name;
    this.#listener = listener;
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    stream.on('error', () => stream.destroy());
    stream.on('end', () => stream.destroy());
    stream.once('close', () => this.#end());
  }

  /** Calls and waits for the answer, at most `timeout`; then the connection is given up. */
  call(name: CallName, params: readonly unknown[], timeout: Milliseconds): Promise<Answer> {
    this.#lastCall += 1;
    return this.#call(this.#lastCall, name, params, timeout);
  }

  /** Opens a console; it ends with the connection. */
  async openConsole(
    id: DomainId,
    timeout: Milliseconds,
  ): Promise<Result<Console, HypervisorError>> {
    this.#lastCall += 1;
    const call = this.#lastCall;
    const console = new RemoteConsole({
      type: (data) => this.#send({ kind: 'type', console: call, data }),
      close: () => {
        if (this.#consoles.delete(call)) this.#send({ kind: 'close-console', console: call });
      },
    });
    this.#consoles.set(call, console);
    const answer = await this.#call(call, 'openConsole', [id], timeout);
    if (answer.ok) return ok(console);
    this.#consoles.delete(call);
    return answer;
  }

  /** Asks for events. */
  watch(): void {
    if (!this.#watching) this.#send({ kind: 'watch' });
    this.#watching = true;
  }

  /** Gives the connection up, at once: a call right after this one needs a new connection. */
  close(): void {
    this.#stream.destroy();
    this.#end();
  }

  #call(
    call: number,
    name: CallName,
    params: readonly unknown[],
    timeout: Milliseconds,
  ): Promise<Answer> {
    if (this.#ended) return Promise.resolve(this.#unavailable('the connection broke'));
    if (this.#waiting.size >= callsInFlightMax)
      return Promise.resolve(this.#unavailable(`${callsInFlightMax} calls are waiting already`));
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#settle(call, this.#unavailable(`${name} had no answer within ${timeout} ms`));
        this.close();
      }, timeout);
      this.#waiting.set(call, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#send({ kind: 'call', call, name, params: [...params] });
    });
  }

  #send(request: Request): void {
    if (this.#stream.writable) this.#stream.write(encodeFrame(request));
  }

  #receive(chunk: Uint8Array): void {
    const messages = this.#reader.push(chunk);
    // A peer that breaks the protocol cannot be trusted with the next message either.
    if (!messages.ok) this.close();
    for (const message of messages.ok ? messages.value : []) {
      const parsed = v.safeParse(responseSchema, message);
      if (parsed.success) this.#handle(parsed.output);
      else this.close();
    }
  }

  #handle(response: v.InferOutput<typeof responseSchema>): void {
    switch (response.kind) {
      case 'value':
        this.#settle(response.call, ok(response.value));
        break;
      case 'error':
        this.#settle(response.call, fail(response.error));
        break;
      case 'changed':
        this.#listener.changed(response.id);
        break;
      case 'printed':
        this.#consoles.get(response.console)?.print(Buffer.from(response.data, 'base64'));
        break;
      case 'console-ended':
        this.#consoles.get(response.console)?.end();
        this.#consoles.delete(response.console);
    }
  }

  #settle(call: number, answer: Answer): void {
    const resolve = this.#waiting.get(call);
    this.#waiting.delete(call);
    resolve?.(answer);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const call of [...this.#waiting.keys()])
      this.#settle(call, this.#unavailable('the connection broke before the answer'));
    for (const console of this.#consoles.values()) console.end();
    this.#consoles.clear();
    this.#listener.closed();
  }

  #unavailable(reason: string): Result<never, HypervisorError> {
    return fail({ code: 'hypervisor-unavailable', detail: `${this.#name}: ${reason}` });
  }
}
