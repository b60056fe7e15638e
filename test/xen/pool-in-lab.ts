import type { ControlDomain } from './control-domain.ts';

/** Where the pool of a test keeps its state, in the control domain. */
const poolDirectory = '/var/lib/flotilla/pool';

const upLog = '/var/log/flotilla-up.log';

/** Emulated hosts are slow, and slower on a busy machine: a hang is what these are to tell. */
const patience = 300_000;

/**
 * Between two questions: each takes the emulated processor from what is waited for. So it waits at least so
 * long, and so many times as long as it took to ask.
 */
const pause = 5_000;
const pauseShare = 4;

/** The longest that a console is read in one go, in seconds. */
const consoleSecondsMax = 160;

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A pool of one real Xen host, driven by its own CLI in the control domain. */
export class PoolInLab {
  /** What `--pool` is to name, in the control domain. */
  readonly directory = poolDirectory;
  readonly #host: ControlDomain;

  constructor(host: ControlDomain) {
    this.#host = host;
  }

  /** `flotilla up` in the background, with further flags; done when every service serves. */
  async start(flags = ''): Promise<void> {
    await this.#host.sh(
      `setsid flotilla up --dir ${poolDirectory} --hypervisor xen ${flags} >${upLog} 2>&1 </dev/null &`,
    );
    await this.#host.until(`grep -qE 'all services serve|^error: ' ${upLog}`, 2 * patience);
    const said = await this.#host.sh(`cat ${upLog}`);
    if (/^error: /m.test(said)) throw new Error(`flotilla up: ${said}`);
  }

  /** Runs `flotilla ...` in the control domain. */
  run(...command: readonly string[]): Promise<Ran> {
    return this.#host.exec(['flotilla', ...command], {
      timeout: patience,
      environment: { FLOTILLA_POOL: poolDirectory },
    });
  }

  /** Runs `flotilla ...` and fails where it failed. */
  async done(...command: readonly string[]): Promise<string> {
    const ran = await this.run(...command);
    if (ran.code !== 0)
      throw new Error(
        `flotilla ${command.join(' ')}: exit code ${ran.code}\n${ran.stdout}${ran.stderr}\n${await this.logs()}`,
      );
    return ran.stdout;
  }

  async json<Value>(...command: readonly string[]): Promise<Value> {
    return JSON.parse(await this.done(...command, '--json')) as Value;
  }

  /** Kills a service as a crash does, as soon as a shell command succeeds in the control domain. */
  async killOnce(condition: string, service: string): Promise<void> {
    // In brackets, the pattern does not match the command line of the shell that has it.
    const pattern = `host-1/[${service.charAt(0)}]${service.slice(1)}[.]json`;
    await this.#host.sh(`until ${condition}; do sleep 0.05; done; pkill -KILL -f '${pattern}'`, {
      timeout: patience,
    });
  }

  /** The names of the domains that Xen's own tool sees, without domain 0. */
  async xlDomains(): Promise<readonly { readonly name: string; readonly domid: number }[]> {
    const lines = (await this.#host.sh('xl list')).trimEnd().split('\n').slice(2);
    return lines.map((line) => {
      const [name = '', domid = ''] = line.split(/\s+/);
      return { name, domid: Number(domid) };
    });
  }

  /** What a stopped VM must not leave: loop devices, and interfaces on the bridge. */
  async leftovers(): Promise<{ readonly loops: string; readonly vifs: string }> {
    return {
      loops: (await this.#host.sh('losetup --all --noheadings --output NAME')).trim(),
      vifs: (await this.#host.sh('ls /sys/class/net | grep ^vif || true')).trim(),
    };
  }

  /**
   * What a VM's console has printed so far. The command goes on until it is ended, and on a busy host it
   * takes longer to begin than what it is given first: one that has said nothing is given twice as long.
   */
  async console(vm: string): Promise<string> {
    for (let seconds = 20; ; seconds *= 2) {
      const ran = await this.#host.exec(
        `FLOTILLA_POOL=${poolDirectory} timeout ${seconds} flotilla vm console ${vm} </dev/null`,
        { timeout: patience },
      );
      if (ran.stdout !== '' || 2 * seconds > consoleSecondsMax) return ran.stdout;
    }
  }

  /** Types a line on a VM's console. */
  async type(vm: string, line: string): Promise<void> {
    // Its input is kept open while the command starts, which takes an emulated host seconds.
    const typing = `(printf '%s\\n' "$2"; sleep 30) | timeout 40 flotilla vm console "$1"`;
    await this.#host.exec(['sh', '-c', typing, 'sh', vm, line], {
      timeout: patience,
      environment: { FLOTILLA_POOL: poolDirectory },
    });
  }

  /** Asks again until the answer is what is waited for, `longest` ms; the last answer is in the error. */
  async eventually<Value>(
    what: string,
    ask: () => Promise<Value>,
    isIt: (value: Value) => boolean,
    longest = patience,
  ): Promise<Value> {
    const until = performance.now() + longest;
    for (;;) {
      const asked = performance.now();
      const value = await ask();
      if (isIt(value)) return value;
      const took = performance.now() - asked;
      if (performance.now() > until)
        throw new Error(
          `${what} did not come about; the last answer: ${JSON.stringify(value)}\n${await this.logs()}`,
        );
      await new Promise((resolve) => setTimeout(resolve, Math.max(pause, pauseShare * took)));
    }
  }

  /** The ends of all logs, those of services that are guests too. */
  logs(): Promise<string> {
    const consoles = '$(ls /var/log/xen/console/guest-flotilla-*.log 2>/dev/null)';
    const logs = `${upLog} ${poolDirectory}/host-1/logs/*.log ${consoles}`;
    return this.#host.sh(`tail -n 8 ${logs} || true`);
  }
}
