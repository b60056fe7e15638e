import { constants, open } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { promisify } from 'node:util';
import { fail, ok, type Result } from '../../base/result.ts';
import { ConsoleHub } from '../console-hub.ts';
import type { Console, DomainId, HypervisorError } from '../port.ts';
import type { Store } from './store.ts';

/** xenconsoled makes a console's pty when xenstored tells it of the domain: soon, not at once. */
const ptyPause = 50;
const ptyAttempts = 200;

/** Bytes that may wait to be typed into a guest that does not read; more are dropped. */
const typedMax = 64 * 2 ** 10;

/**
 * The guests' consoles. xenconsoled copies each guest's ring to a pseudo-terminal and keeps it
 * open while the domain is there; we read that terminal, once for all who have a console of the
 * domain open, because whoever reads it takes the bytes away from everyone else.
 */
export class XenConsoles {
  readonly #store: Store;
  readonly #terminals = new Map<DomainId, Promise<Result<ReadStream, HypervisorError>>>();
  /** Terminals that nobody has closed on this side: when one of them ends, its domain has. */
  readonly #live = new Set<ReadStream>();
  readonly #hub: ConsoleHub;

  /** Finds the terminals in `store`. */
  constructor(store: Store) {
    this.#store = store;
    this.#hub = new ConsoleHub({
      typed: (id, data) => void this.#type(id, data),
      unwatched: (id) => void this.#close(id),
    });
  }

  /** Opens a console of a domain that exists. */
  async open(id: DomainId): Promise<Result<Console, HypervisorError>> {
    const terminal = this.#terminals.get(id) ?? this.#openTerminal(id);
    this.#terminals.set(id, terminal);
    const opened = await terminal;
    if (opened.ok) return ok(this.#hub.open(id));
    if (this.#terminals.get(id) === terminal) this.#terminals.delete(id);
    return opened;
  }

  /** The domain is gone. */
  end(id: DomainId): void {
    void this.#close(id);
    this.#hub.end(id);
  }

  async #openTerminal(id: DomainId): Promise<Result<ReadStream, HypervisorError>> {
    const path = await this.#terminalPath(id);
    if (!path.ok) return path;
    try {
      const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
      const descriptor = await promisify(open)(path.value, flags);
      return ok(this.#read(id, new ReadStream(descriptor)));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return fail({ code: 'hypervisor-failed', detail: `the console of domain ${id}: ${reason}` });
    }
  }

  #read(id: DomainId, terminal: ReadStream): ReadStream {
    terminal.on('data', (data: Uint8Array) => this.#hub.print(id, data));
    // When xenconsoled closes its side, reading fails with EIO: the domain is gone.
    terminal.on('error', () => terminal.destroy());
    terminal.once('close', () => {
      if (this.#live.delete(terminal)) this.end(id);
    });
    this.#live.add(terminal);
    return terminal;
  }

  async #terminalPath(id: DomainId): Promise<Result<string, HypervisorError>> {
    for (let attempt = 0; attempt < ptyAttempts; attempt += 1) {
      const found = await this.#store.read(`/local/domain/${id}/console/tty`);
      if (!found.ok) return found;
      if (found.value !== null && /^\/dev\/pts\/\d+$/.test(found.value)) return ok(found.value);
      await sleep(ptyPause);
    }
    return fail({
      code: 'hypervisor-failed',
      detail: `domain ${id} has no console; see whether xenconsoled runs`,
    });
  }

  async #type(id: DomainId, data: Uint8Array): Promise<void> {
    const terminal = await this.#terminals.get(id);
    if (!terminal?.ok) return;
    if (terminal.value.writableLength + data.length <= typedMax) terminal.value.write(data);
  }

  async #close(id: DomainId): Promise<void> {
    const terminal = this.#terminals.get(id);
    this.#terminals.delete(id);
    const opened = await terminal;
    if (!opened?.ok) return;
    this.#live.delete(opened.value);
    opened.value.destroy();
  }
}
