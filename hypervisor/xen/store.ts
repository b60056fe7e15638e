import koffi from 'koffi';
import { fail, ok, type Result } from '../../base/result.ts';
import type { HypervisorError } from '../port.ts';
import type { Libraries, Out, Pointer } from './libraries.ts';

/** Longest value of a node (`XENSTORE_PAYLOAD_MAX` of xs_wire.h). */
const payloadMax = 4096;

/** `XBT_NULL` of xenstore.h: outside any transaction. */
const noTransaction = 0;

/**
 * The nodes of xenstore that the toolstack itself writes for disks, NICs and shutdown requests.
 * After a failure the connection is opened anew: xenstored may have been restarted.
 */
export class Store {
  readonly #libraries: Libraries;
  #handle: Pointer = null;
  /** The call before: calls take turns, so that none uses a connection that another closes. */
  #last: Promise<unknown> = Promise.resolve();

  /** Connects at its first use. */
  constructor(libraries: Libraries) {
    this.#libraries = libraries;
  }

  /** The value of a node, or null if there is no such node. */
  read(path: string): Promise<Result<string | null, HypervisorError>> {
    return this.#inTurn(async (handle) => {
      const value = await this.#value(handle, path);
      if (value !== null) return ok(value);
      // libxenstore does not say why there is no value; the root has one while there is a store.
      return (await this.#value(handle, '/')) === null ? this.#broken() : ok(null);
    });
  }

  /** Writes a node. */
  write(path: string, value: string): Promise<Result<void, HypervisorError>> {
    return this.#inTurn(async (handle) => {
      const data = Buffer.from(value);
      const written = await new Promise<boolean>((resolve, reject) => {
        const done = (error: unknown, success: boolean) =>
          error ? reject(error) : resolve(success);
        this.#libraries.xs_write.async(handle, noTransaction, path, data, data.length, done);
      });
      return written ? ok(undefined) : this.#broken();
    });
  }

  async #value(handle: Pointer, path: string): Promise<string | null> {
    const length: Out<number> = [0];
    const value = await new Promise<Pointer>((resolve, reject) => {
      const done = (error: unknown, pointer: Pointer) => (error ? reject(error) : resolve(pointer));
      this.#libraries.xs_read.async(handle, noTransaction, path, length, done);
    });
    if (value === null) return null;
    const bytes = new Uint8Array(koffi.view(value, Math.min(length[0], payloadMax)));
    const text = Buffer.from(bytes).toString('utf8');
    this.#libraries.free(value);
    return text;
  }

  #inTurn<Value>(
    use: (handle: Pointer) => Promise<Result<Value, HypervisorError>>,
  ): Promise<Result<Value, HypervisorError>> {
    const turn = this.#last.then(() => {
      this.#handle ??= this.#libraries.xs_open(0);
      return this.#handle === null ? unreachable() : use(this.#handle);
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #broken(): Result<never, HypervisorError> {
    this.#libraries.xs_close(this.#handle);
    this.#handle = null;
    return unreachable();
  }
}

function unreachable(): Result<never, HypervisorError> {
  return fail({
    code: 'hypervisor-unavailable',
    detail: 'xenstore cannot be reached; see whether xenstored runs',
  });
}
