import type { HostPlan } from './host-plan.ts';
import type { ProcessState } from './process.ts';
import { allServe, type PoolView, renderTable, renderTroubles, stateWord } from './view.ts';

/** What is said besides the table. */
export interface ScreenText {
  readonly notices: readonly string[];
  /** Said once everything serves. */
  readonly next: readonly string[];
  /** The file by which others find the pool; null where this process made none. */
  readonly poolFile: string | null;
  /** Called once, when everything serves for the first time. */
  readonly served?: () => void;
}

/** The live view of `flotilla up`: redrawn in place on a terminal, a line a change elsewhere. */
export class Screen {
  readonly #output: NodeJS.WriteStream;
  readonly #text: ScreenText;
  readonly #startedAt = performance.now();
  /** What was said last of each process. */
  readonly #told = new Map<string, string>();
  #view: PoolView;
  #drawn = 0;
  #served = false;
  #stopping = false;

  constructor(output: NodeJS.WriteStream, plans: readonly HostPlan[], text: ScreenText) {
    this.#output = output;
    this.#text = text;
    this.#view = {
      hosts: plans.map((plan) => ({
        name: plan.host.name,
        processes: plan.processes.map(({ name }) => ({ name, state: { kind: 'starting' } })),
      })),
    };
    for (const notice of text.notices) output.write(`${notice}\n`);
    this.#draw();
  }

  /** A process of a host is in another state. */
  update(host: string, name: string, state: ProcessState): void {
    this.#view = {
      hosts: this.#view.hosts.map((each) =>
        each.name !== host
          ? each
          : {
              ...each,
              processes: each.processes.map((old) => (old.name === name ? { name, state } : old)),
            },
      ),
    };
    if (!this.#output.isTTY && state.kind !== 'starting' && !this.#stopping) {
      const reason = 'reason' in state ? ` (${state.reason})` : '';
      const line = `${host} ${name} ${stateWord(state)}${reason}`;
      // What is refused again and again for the same reason is told once.
      if (line !== this.#told.get(`${host} ${name}`)) this.#output.write(`${line}\n`);
      this.#told.set(`${host} ${name}`, line);
    }
    if (!this.#served && allServe(this.#view)) {
      this.#served = true;
      this.#text.served?.();
      this.#erase();
      const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
      this.#output.write(`all services serve after ${seconds} s; Ctrl-C stops them\n`);
      for (const line of this.#text.next) this.#output.write(`${line}\n`);
    }
    this.#draw();
  }

  stopping(): void {
    this.#stopping = true;
    this.#erase();
    this.#output.write('stopping\n');
  }

  stopped(): void {
    this.#erase();
    const where = this.#text.poolFile === null ? '' : '; the state is kept for the next start';
    this.#output.write(`stopped${where}\n`);
  }

  #draw(): void {
    if (!this.#output.isTTY || this.#stopping) return;
    this.#erase();
    const lines = [...renderTable(this.#view), ...renderTroubles(this.#view)].map((line) =>
      line.slice(0, this.#output.columns - 1),
    );
    this.#output.write(lines.map((line) => `${line}\n`).join(''));
    this.#drawn = lines.length;
  }

  /** Takes the table away, so that lines can be written where it was. */
  #erase(): void {
    if (this.#drawn > 0) this.#output.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }
}
