import koffi from 'koffi';
import { fail, ok, type Result } from '../../base/result.ts';
import type { DomainId, HypervisorError } from '../port.ts';
import { asynchronously } from './asynchronously.ts';
import type { Libraries, Out, Pointer } from './libraries.ts';

/** Longest value of a node (`XENSTORE_PAYLOAD_MAX` of xs_wire.h). */
const payloadMax = 4096;

/** `XBT_NULL` of xenstore.h: outside any transaction. */
const noTransaction = 0;

/** `XS_PERM_NONE` and `XS_PERM_READ` of xenstore_lib.h. */
const permNone = 0;
const permRead = 1;

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
      return this.#nothingThere<string | null>(handle, null);
    });
  }

  /** Writes a node. */
  write(path: string, value: string): Promise<Result<void, HypervisorError>> {
    return this.#inTurn(async (handle) => {
      const data = Buffer.from(value);
      const written = await asynchronously<boolean>((done) =>
        this.#libraries.xs_write.async(handle, noTransaction, path, data, data.length, done),
      );
      return written ? ok(undefined) : this.#broken();
    });
  }

  /** The names of a node's children; none where there is no such node. */
  list(path: string): Promise<Result<readonly string[], HypervisorError>> {
    return this.#inTurn(async (handle) => {
      const count: Out<number> = [0];
      const names = await asynchronously<Pointer>((done) =>
        this.#libraries.xs_directory.async(handle, noTransaction, path, count, done),
      );
      if (names === null) return this.#nothingThere<readonly string[]>(handle, []);
      const texts: string[] = koffi.decode(names, 'const char *', count[0]);
      this.#libraries.free(names);
      return ok(texts);
    });
  }

  /** Removes a node and all below it; one that is not there is removed. */
  remove(path: string): Promise<Result<void, HypervisorError>> {
    return this.#inTurn(async (handle) => {
      const removed = await asynchronously<boolean>((done) =>
        this.#libraries.xs_rm.async(handle, noTransaction, path, done),
      );
      return removed ? ok(undefined) : this.#nothingThere(handle, undefined);
    });
  }

  /** Makes a node, and its parents, where it is missing. */
  make(path: string): Promise<Result<void, HypervisorError>> {
    return this.#inTurn(async (handle) => {
      const made = await asynchronously<boolean>((done) =>
        this.#libraries.xs_mkdir.async(handle, noTransaction, path, done),
      );
      return made ? ok(undefined) : this.#broken();
    });
  }

  /** A node belongs to `owner`, and `reader` may read it; nobody else but domain 0 may. */
  share(path: string, owner: DomainId, reader: DomainId): Promise<Result<void, HypervisorError>> {
    return this.#inTurn(async (handle) => {
      const permissions = Uint32Array.of(owner, permNone, reader, permRead);
      const shared = await asynchronously<boolean>((done) =>
        this.#libraries.xs_set_permissions.async(
          handle,
          noTransaction,
          path,
          permissions,
          permissions.length / 2,
          done,
        ),
      );
      return shared ? ok(undefined) : this.#nothingThere(handle, undefined);
    });
  }

  /** libxenstore does not say why a call failed; while there is a store, its root has a value. */
  async #nothingThere<Value>(
    handle: Pointer,
    value: Value,
  ): Promise<Result<Value, HypervisorError>> {
    return (await this.#value(handle, '/')) === null ? this.#broken() : ok(value);
  }

  async #value(handle: Pointer, path: string): Promise<string | null> {
    const length: Out<number> = [0];
    const value = await asynchronously<Pointer>((done) =>
      this.#libraries.xs_read.async(handle, noTransaction, path, length, done),
    );
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
