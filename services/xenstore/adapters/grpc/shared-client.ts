import { ok, type Result } from '../../../../base/result.ts';
import { XenstoreClient } from '../../client/client.ts';
import type { ClientFailure } from '../../client/failure.ts';
import type { Transport } from '../../client/link.ts';
import type { ClientOptions } from '../../client/options.ts';

/**
 * One client for all who ask: what reaches a xenstore through the kernel keeps a thread of libuv's pool
 * for each. It connects when somebody asks, and again when somebody asks after the connection was lost.
 */
export class SharedClient {
  readonly #transport: Transport;
  readonly #options: Partial<ClientOptions>;
  #client: XenstoreClient | null = null;
  #opening: Promise<Result<XenstoreClient, ClientFailure>> | null = null;
  #closed = false;

  constructor(transport: Transport, options: Partial<ClientOptions> = {}) {
    this.#transport = transport;
    this.#options = options;
  }

  /** The client, where it is connected, or can be. */
  async get(): Promise<Result<XenstoreClient, ClientFailure>> {
    if (this.#client?.connected === true) return ok(this.#client);
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Whatever waits fails; who asks from now on is told that nobody is there. */
  close(): void {
    this.#closed = true;
    this.#client?.close();
  }

  async #open(): Promise<Result<XenstoreClient, ClientFailure>> {
    const opened = await XenstoreClient.open(this.#transport, this.#options);
    this.#opening = null;
    this.#client = opened.ok ? opened.value : null;
    if (this.#closed) this.#client?.close();
    return opened;
  }
}
