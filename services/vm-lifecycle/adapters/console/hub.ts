import { bounds } from '../../../../base/bounds.ts';
import type { Console, DomainId, Hypervisor } from '../../../../hypervisor/port.ts';
import type { VmId } from '../../../../pool/records/identifiers.ts';
import { Scrollback } from '../../core/scrollback.ts';

/** What the hub reports, for the service's log. */
export interface ConsoleLog {
  warn(fields: object, message: string): void;
}

/** The consoles of the VMs that run on this host. */
export interface ConsoleHub {
  /**
   * Keeps what the VM's domain prints from now on; readers of an earlier domain of the VM go on with
   * this one. A console that cannot be opened is logged, and the VM runs without.
   */
  follow(vm: VmId, domain: DomainId): Promise<void>;
  /** The VM's console, or null where none is followed. */
  find(vm: VmId): VmConsole | null;
  /** The VM is halted: its readers come to the end. */
  close(vm: VmId): void;
  closeAll(): void;
}

/** The console of one VM, over all of its domains until it is halted. */
export interface VmConsole {
  /** What was printed lately, and then what is printed; ends when the VM is halted. */
  output(signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Types into the guest. */
  write(data: Uint8Array): void;
}

class FollowedConsole implements VmConsole {
  readonly #scrollback = new Scrollback(bounds.consoleScrollback);
  readonly #waiting = new Set<() => void>();
  #console: Console | null = null;
  #closed = false;

  /** Whether a domain's console is open now: one may end though its domain runs on. */
  get isAttached(): boolean {
    return this.#console !== null;
  }

  attach(console: Console): void {
    this.#console?.close();
    this.#console = console;
    console.onData((data) => {
      this.#scrollback.append(data);
      this.#wake();
    });
    console.onEnd(() => {
      if (this.#console === console) this.#console = null;
    });
  }

  async *output(signal: AbortSignal): AsyncIterable<Uint8Array> {
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    let place = 0;
    try {
      while (!signal.aborted) {
        const { data, next } = this.#scrollback.since(place);
        place = next;
        if (data.length > 0) yield data;
        else if (this.#closed) return;
        else await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  write(data: Uint8Array): void {
    this.#console?.write(data);
  }

  close(): void {
    this.#closed = true;
    this.#console?.close();
    this.#console = null;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** A hub over the consoles of a hypervisor. */
export function consoleHub(hypervisor: Hypervisor, log: ConsoleLog): ConsoleHub {
  const followed = new Map<VmId, { readonly console: FollowedConsole; domain: DomainId }>();
  const close = (vm: VmId): void => {
    followed.get(vm)?.console.close();
    followed.delete(vm);
  };
  return {
    follow: async (vm, domain) => {
      const known = followed.get(vm);
      if (known?.domain === domain && known.console.isAttached) return;
      const opened = await hypervisor.openConsole(domain);
      if (!opened.ok) {
        log.warn({ vm, domain, error: opened.error }, 'a console cannot be opened');
        return;
      }
      const entry = followed.get(vm) ?? { console: new FollowedConsole(), domain };
      entry.domain = domain;
      entry.console.attach(opened.value);
      followed.set(vm, entry);
    },
    find: (vm) => followed.get(vm)?.console ?? null,
    close,
    closeAll: () => {
      for (const vm of [...followed.keys()]) close(vm);
    },
  };
}
