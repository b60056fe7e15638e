import { readFile } from 'node:fs/promises';
import type { Host } from './host.ts';
import type { PoolInLab } from './pool-in-lab.ts';

/** The services whose guests a host's supervisor starts, in their order. */
export const parts = ['consensus', 'network', 'storage'] as const;
export type Part = (typeof parts)[number];

interface Note {
  readonly kind: string;
  readonly domain?: number;
}

/** All share the emulated processors, and boot at a time: a guest alone serves after a minute. */
const boots = 1_200_000;

/**
 * The guests of a host's services, by the log of their supervisor: asking by the CLI would take from the emulated
 * processor what the guest needs to boot.
 */
export class ServiceGuests {
  readonly #host: Host;
  readonly #pool: PoolInLab;

  constructor(host: Host, pool: PoolInLab) {
    this.#host = host;
    this.#pool = pool;
  }

  /** Waits until a service's guest serves; returns its domain. */
  async serves(part: Part): Promise<number> {
    const { domain } = await this.#pool.eventually(
      `a guest of ${part} that serves`,
      () => this.#lastNote(part),
      ({ kind }) => kind === 'serving',
      boots,
    );
    return domain ?? 0;
  }

  /** Destroys the guest of a service as a crash does, and waits until it serves again, in a new domain. */
  async fallsAndComesBack(part: Part): Promise<void> {
    const starts = await this.#starts(part);
    await this.#host.sh(`xl destroy flotilla-${part}`);
    await this.#pool.eventually(
      `another start of ${part}`,
      () => this.#starts(part),
      (count) => count > starts,
    );
    await this.serves(part);
  }

  /**
   * How often xenstored was killed in its domain, by what that domain's init has logged. It does so with the
   * hypervisor, which prints it with `guest_loglvl=all`.
   */
  async storeKills(): Promise<number> {
    const log = await readFile(this.#host.serialLog, 'latin1');
    return log.split('flotilla init: the service ended with signal 9').length - 1;
  }

  async #lastNote(part: Part): Promise<Note> {
    const said = await this.#host.sh(`grep '"guest":"${part}","note":' ${this.#log} | tail -n 1`);
    if (said.trim() === '') return { kind: 'none' };
    return (JSON.parse(said) as { readonly note: Note }).note;
  }

  async #starts(part: Part): Promise<number> {
    const started = `"guest":"${part}","note":{"kind":"started"`;
    return Number((await this.#host.sh(`grep -c '${started}' ${this.#log} || true`)).trim());
  }

  get #log(): string {
    return `${this.#pool.directory}/host-1/logs/service-guests.log`;
  }
}
