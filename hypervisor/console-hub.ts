import type { Console, DomainId } from './port.ts';

/** One open console: the listeners of one `Console` of the port. */
interface OpenConsole {
  readonly data: ((data: Uint8Array) => void)[];
  readonly end: (() => void)[];
}

/** What a hub needs of the domains that it serves. */
export interface ConsoleLines {
  /** Something was typed on a console of the domain. */
  typed(id: DomainId, data: Uint8Array): void;
  /** Nobody has a console of the domain open any more. */
  unwatched(id: DomainId): void;
}

/**
 * Hands what the domains print to every console that is open on them, and what is typed to the
 * domains. Consoles of one domain all see the same.
 */
export class ConsoleHub {
  readonly #open = new Map<DomainId, Set<OpenConsole>>();
  readonly #lines: ConsoleLines;

  /** A hub on which nothing is open. */
  constructor(lines: ConsoleLines) {
    this.#lines = lines;
  }

  /** Opens a console on a domain that exists. */
  open(id: DomainId): Console {
    const open: OpenConsole = { data: [], end: [] };
    const ofDomain = this.#open.get(id) ?? new Set();
    this.#open.set(id, ofDomain.add(open));
    return {
      onData: (listener) => void open.data.push(listener),
      onEnd: (listener) => void open.end.push(listener),
      write: (data) => {
        if (ofDomain.has(open)) this.#lines.typed(id, data);
      },
      close: () => {
        if (!ofDomain.delete(open) || ofDomain.size > 0) return;
        this.#open.delete(id);
        this.#lines.unwatched(id);
      },
    };
  }

  /** The domain printed. */
  print(id: DomainId, data: Uint8Array): void {
    for (const open of [...(this.#open.get(id) ?? [])])
      for (const listener of open.data) listener(data);
  }

  /** The domain's console is gone: every console that is open on it ends. */
  end(id: DomainId): void {
    const ofDomain = [...(this.#open.get(id) ?? [])];
    this.#open.get(id)?.clear();
    this.#open.delete(id);
    for (const open of ofDomain) for (const listener of open.end) listener();
  }

  /** Closes every console without a word. */
  closeAll(): void {
    for (const ofDomain of this.#open.values()) ofDomain.clear();
    this.#open.clear();
  }
}
