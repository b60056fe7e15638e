import type { ControlDomain } from './control-domain.ts';
import { type LoadReport, loadReports } from './load-report.ts';

/** Where somebody in the control domain echoes, and what it says of its connections. */
const echoPort = 7007;
const echoLog = '/var/log/echo.log';

/** A guest that is there answers within seconds; one that was typed to while it did not look, never. */
const answerPatience = 60_000;

/** How long what was stopped has to go on: TCP sends again after a wait that doubles, 120 s at most. */
const patience = 900_000;

/** What a load did while something was done to its host. */
export interface Course {
  readonly before: LoadReport;
  /** Once both the disk and the connection went on. */
  readonly after: LoadReport;
  /** The longest pause of the disk, and silence of the connection, in milliseconds. */
  readonly pause: number;
  readonly silence: number;
}

/**
 * The load of a test guest's disk and of a TCP connection to the control domain. It is started and asked by
 * the terminal of its console and by Xen's log of that: our own CLI would take from the emulated processor what
 * the services need that are looked at.
 */
export class GuestLoad {
  readonly #host: ControlDomain;
  readonly #guest: string;

  constructor(host: ControlDomain, guest: string) {
    this.#host = host;
    this.#guest = guest;
  }

  /** Begins, and waits until the disk and the connection are used. */
  async start(disk: string): Promise<void> {
    const echo = `socat -d -d TCP-LISTEN:${echoPort},reuseaddr,fork PIPE`;
    await this.#host.sh(`setsid ${echo} >${echoLog} 2>&1 </dev/null &`);
    await this.#type(`load ${disk} ${this.#host.address} ${echoPort}`);
    await this.#reportWith(({ rounds, lines }) => rounds > 0 && lines > 0);
  }

  /** Does `work` and waits until the load goes on; says how it went meanwhile. */
  async during(work: () => Promise<void>): Promise<Course> {
    const before = await this.report();
    const known = (await this.#reports()).length;
    await work();
    const first = await this.report();
    const after = await this.#reportWith(
      ({ rounds, lines }) => rounds > first.rounds && lines > first.lines,
    );
    const during = (await this.#reports()).slice(known);
    return {
      ...{ before, after },
      pause: Math.max(...during.map(({ pause }) => pause)),
      silence: Math.max(...during.map(({ silence }) => silence)),
    };
  }

  /** Asks until there is an answer: what is half typed when the guest looks is lost. */
  async report(): Promise<LoadReport> {
    const known = (await this.#reports()).length;
    for (const until = performance.now() + patience; ; ) {
      await this.#type('load report');
      for (const soon = performance.now() + answerPatience; performance.now() < soon; ) {
        const report = (await this.#reports())[known];
        if (report !== undefined) return report;
        await pause();
      }
      if (performance.now() > until) throw new Error(`no report of a load: ${await this.#said()}`);
    }
  }

  async #reportWith(isIt: (report: LoadReport) => boolean): Promise<LoadReport> {
    for (const until = performance.now() + patience; ; await pause()) {
      const report = await this.report();
      if (isIt(report)) return report;
      if (performance.now() > until)
        throw new Error(
          `the load does not go on: ${JSON.stringify(report)}\n${await this.#said()}`,
        );
    }
  }

  async #reports(): Promise<readonly LoadReport[]> {
    return loadReports(await this.#said());
  }

  /** What it has said of its load, since the host's boot. */
  #said(): Promise<string> {
    const log = `/var/log/xen/console/guest-${this.#guest}.log`;
    return this.#host.sh(`grep -a 'flotilla guest: load' ${log} || true`);
  }

  async #type(line: string): Promise<void> {
    const tty = `$(xenstore-read /local/domain/$(xl domid ${this.#guest})/console/tty)`;
    await this.#host.sh(`echo '${line}' >${tty}`);
  }
}

/** Between two looks at the console: each takes a moment of the emulated processor. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3000));
}
