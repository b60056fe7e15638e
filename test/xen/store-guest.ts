import type { ControlDomain } from './control-domain.ts';

/** What a guest says at last when it has tried its devices. */
const devicesDone = 'flotilla guest: devices done';

/** Everything that consoles of a name have said; a domain that migrates has a log of its own. */
function consoleLogs(name: string): string {
  return `/var/log/xen/console/guest-${name}*.log`;
}

/** How often a question is typed, and how long each time is waited for its answer, in milliseconds. */
const typings = 5;
const answerPatience = 60_000;

/** Xen's hotplug scripts start hundreds of programs, which takes an emulated host half a minute. */
const scripts = {
  'lab-vif': [
    '[ "$1" = online ] || exit 0',
    'ip link set "$vif" up master xenbr0',
    'xenstore-write "$XENBUS_PATH/hotplug-status" connected',
  ],
  'lab-block': [
    '[ "$1" = add ] || exit 0',
    'device=$(stat -L -c %t:%T "$(xenstore-read "$XENBUS_PATH/params")")',
    'xenstore-write "$XENBUS_PATH/physical-device" "$device" \\',
    '  "$XENBUS_PATH/hotplug-status" connected',
  ],
};

/** Gives a host the two scripts, for `xl` to run. */
export async function putHotplugScripts(host: ControlDomain): Promise<void> {
  for (const [script, lines] of Object.entries(scripts))
    await host.put(`/etc/xen/scripts/${script}`, ['#!/bin/sh', ...lines, ''].join('\n'), 0o755);
}

/** A test guest that `xl` runs, and that uses xenstore itself. */
export class StoreGuest {
  readonly name: string;
  readonly address: string;
  readonly #host: ControlDomain;

  constructor(host: ControlDomain, name: string, address: string) {
    this.name = name;
    this.address = address;
    this.#host = host;
  }

  /** Builds it by `xl create`, with a disk and a NIC, and waits until it has tried both. */
  async create(type: 'pv' | 'pvh'): Promise<void> {
    await putHotplugScripts(this.#host);
    const disk = `/var/lib/xen/${this.name}.img`;
    await this.#host.sh(`truncate -s 64M ${disk}`);
    const device = (await this.#host.sh(`losetup --find --show ${disk}`)).trim();
    const config = [
      `name = "${this.name}"`,
      `type = "${type}"`,
      'kernel = "/var/lib/flotilla/boot/vmlinuz-guest"',
      'ramdisk = "/var/lib/flotilla/boot/initrd-guest"',
      `extra = "console=hvc0 flotilla.ip=${this.address}/24 flotilla.ping=${this.#host.address}"`,
      'memory = 128',
      'vcpus = 1',
      `disk = [ "vdev=xvda,access=rw,script=lab-block,target=${device}" ]`,
      'vif = [ "bridge=xenbr0,script=lab-vif" ]',
    ];
    const path = `/etc/xen/${this.name}.cfg`;
    await this.#host.put(path, `${config.join('\n')}\n`);
    await this.#host.sh(`xl create ${path}`, { timeout: 300_000 });
    await this.#host.until(`cat ${consoleLogs(this.name)} | grep -aq "${devicesDone}"`);
  }

  async id(): Promise<number> {
    return Number(await this.#host.sh(`xl domid ${this.name}`));
  }

  /** Types a line into its console. */
  async type(line: string): Promise<void> {
    const tty = `$(xenstore-read /local/domain/${await this.id()}/console/tty)`;
    await this.#host.sh(`echo "${line}" >${tty}`);
  }

  /** How many lines of its console have this. */
  async count(text: string): Promise<number> {
    const lines = `cat ${consoleLogs(this.name)} | grep -ac "flotilla guest: ${text}"`;
    return Number((await this.#host.exec(lines)).stdout);
  }

  /** Waits for a line of its console that has this, and that was not there `before`. */
  async says(text: string, before = 0, timeout?: number): Promise<string> {
    const lines = `cat ${consoleLogs(this.name)} | grep -a "flotilla guest: ${text}"`;
    return this.#host.until(
      `[ "$(${lines} | wc -l)" -gt ${before} ] && ${lines} | tail -n 1`,
      timeout,
    );
  }

  /** What it reads from xenstore by itself. */
  async read(path: string): Promise<string> {
    const before = await this.count(`xenstore ${path}: `);
    const said = await this.#asked(`xenstore read ${path}`, `xenstore ${path}: `, before);
    return said.replace(/^.*?xenstore \S+: /, '').trim();
  }

  /** Types a question until it is answered: a line that is half typed when the guest looks is lost. */
  async #asked(question: string, answer: string, before: number): Promise<string> {
    for (let left = typings; ; left -= 1) {
      await this.type(question);
      const said = this.says(answer, before, answerPatience);
      if (left === 1) return said;
      const heard = await said.catch(() => null);
      if (heard !== null) return heard;
    }
  }

  /** Waits until it answers on the bridge. */
  async answers(): Promise<void> {
    await this.#host.until(`ping -c 1 -W 5 ${this.address}`);
  }

  /** Frees what `create` has made besides the domain. */
  async tidy(): Promise<void> {
    const disk = `/var/lib/xen/${this.name}.img`;
    await this.#host.sh(`losetup -j ${disk} | cut -d: -f1 | xargs -r losetup -d; rm -f ${disk}`);
  }
}
