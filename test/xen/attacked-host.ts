import type { AttackerImage, Foothold } from './attacker-image.ts';
import type { ControlDomain } from './control-domain.ts';
import { putHotplugScripts } from './store-guest.ts';

/** What an attack was answered, by what it tried. */
export type Answers = ReadonlyMap<string, string>;

/** Where the attackers' images are in the control domain, and what their supervisor works with. */
const place = '/var/lib/flotilla/attacker';

/** The name that the guest of the network service has. */
const attacker = 'flotilla-network';
const attackerLog = `/var/log/xen/console/guest-${attacker}.log`;

const victim = 'victim';
const victimDisk = `/var/lib/xen/${victim}.img`;

/** An emulated host builds and boots a guest in a minute, and in several when the machine is crowded. */
const patience = 600_000;

/**
 * A host on which an attacker stands in the network service's place: a domain that the host's supervisor of
 * service guests starts as it starts that one, from a signed image, with the same configuration.
 */
export class AttackedHost {
  readonly #host: ControlDomain;

  constructor(host: ControlDomain) {
    this.#host = host;
  }

  /** Gives the host an attacker's image, and the configuration of its supervisor. */
  async put(foothold: Foothold, { files, publicKey }: AttackerImage): Promise<void> {
    const image = `${place}/${foothold}`;
    for (const [name, content] of Object.entries(files))
      await this.#host.put(`${image}/${name}`, Buffer.from(content));
    await this.#host.sh(`cp /var/lib/flotilla/boot/vmlinuz-guest ${image}/vmlinuz`);
    await this.#host.put(`${image}.pem`, publicKey);
    await this.#host.put(`${place}/seed/secret`, 'what the network service alone is given\n');
    const configuration = {
      hostId: '5cbe1b5c-0f0e-4a39-8a4e-3f1d7c7b9b11',
      ...{ hostName: 'host-1', hypervisor: { kind: 'xen' }, dataDir: `${place}/data` },
      trustedKeys: [`${image}.pem`],
      guests: [
        {
          ...{ service: 'network', type: 'pv', image, seed: `${place}/seed` },
          nics: [{ mac: '00:16:3e:f1:07:02', bridge: 'xenbr0' }],
          ...{ bridge: 'xenbr0', driverDomain: true },
        },
      ],
    };
    await this.#host.put(this.#configuration(foothold), JSON.stringify(configuration));
  }

  #configuration(foothold: Foothold): string {
    return `${place}/${foothold}.json`;
  }

  /** Starts the attacker's domain, in the place of the one before it; returns its number. */
  async start(foothold: Foothold): Promise<number> {
    const log = `${place}/${foothold}.log`;
    await this.#host.sh(
      `setsid flotilla service-guests --config ${this.#configuration(foothold)} >${log} 2>&1 </dev/null &
      echo $! >${place}/pid`,
    );
    await this.#host.until(
      `grep -aq "attack begin" ${attackerLog} || { tail -n 5 ${log} ${attackerLog}; exit 1; }`,
      patience,
    );
    return Number(await this.#host.sh(`xl domid ${attacker}`));
  }

  /** Ends both domains and the supervisor, and frees what they had. */
  async stop(): Promise<void> {
    await this.#host.sh(`kill -TERM -$(cat ${place}/pid)`);
    await this.#host.until(`! kill -0 $(cat ${place}/pid) 2>/dev/null`);
    const free = [
      `xl destroy ${victim}; xl destroy ${attacker}`,
      `losetup -j ${victimDisk} | cut -d: -f1 | xargs -r losetup -d; rm -f ${victimDisk}`,
      `rm -f ${attackerLog} /var/log/xen/console/guest-${victim}.log`,
    ];
    await this.#host.exec(free.join('\n'), { timeout: 300_000 });
  }

  /**
   * Starts a guest whose NIC the attacker's kernel serves, and whose disk the control domain serves; waits
   * until it uses both.
   */
  async startVictim(): Promise<void> {
    await putHotplugScripts(this.#host);
    await this.#host.sh(`truncate -s 64M ${victimDisk}`);
    const device = (await this.#host.sh(`losetup --find --show ${victimDisk}`)).trim();
    const config = [
      `name = "${victim}"`,
      'type = "pv"',
      'kernel = "/var/lib/flotilla/boot/vmlinuz-guest"',
      'ramdisk = "/var/lib/flotilla/boot/initrd-guest"',
      'extra = "console=hvc0"',
      'memory = 128',
      'vcpus = 1',
      `disk = [ "vdev=xvda,access=rw,script=lab-block,target=${device}" ]`,
      `vif = [ "backend=${attacker},bridge=xenbr0" ]`,
      '',
    ];
    await this.#host.put(`/etc/xen/${victim}.cfg`, config.join('\n'));
    // What a service's host writes for it (hypervisor/xen/devices.ts), as soon as the backend is there.
    const backend = `/local/domain/$(xl domid ${attacker})/backend/vif/$(xl domid ${victim})/0`;
    await this.#host.sh(
      `xl create /etc/xen/${victim}.cfg && xenstore-write ${backend}/hotplug-status connected`,
      { timeout: 300_000 },
    );
    await this.#host.until(
      `grep -aq "flotilla guest: devices done" /var/log/xen/console/guest-${victim}.log`,
      patience,
    );
  }

  /** Tells the attacker whom to attack, and returns what it was answered when it is at its end. */
  async attack(): Promise<Answers> {
    await this.#host.sh(
      [
        `own=$(xl domid ${attacker})`,
        `victim=$(xl domid ${victim})`,
        'store=$(xenstore-read /tool/xenstored/domid)',
        'device=/local/domain/$victim/device',
        'disk=$(xenstore-read $device/vbd/51712/ring-ref)',
        'channel=$(xenstore-read $device/vbd/51712/event-channel)',
        'nic=$(xenstore-read $device/vif/0/tx-ring-ref || xenstore-read $device/vif/0/queue-0/tx-ring-ref)',
        'target="own=$own victim=$victim store=$store disk-ring=$disk disk-channel=$channel nic-ring=$nic"',
        'xenstore-write /local/domain/$own/data/target "$target"',
      ].join('\n'),
    );
    await this.#host.until(
      `grep -aq "attack end: done" ${attackerLog} || { tail -n 5 ${attackerLog}; exit 1; }`,
      patience,
    );
    const lines = (await this.#host.sh(`cat ${attackerLog}`)).split(/\r?\n/);
    return new Map(
      lines.flatMap((line) => {
        const [, what, answer] = /^attack (.+?): (.*)$/.exec(line) ?? [];
        return what === undefined || answer === undefined ? [] : [[what, answer.trim()]];
      }),
    );
  }

  /** Whether the victim is as it was: it runs, and nobody wrote into its entries. */
  async victimIsWell(): Promise<boolean> {
    const check = [
      `xl list ${victim} | grep -q -- '[r-][b-]----'`,
      `! xenstore-exists /local/domain/$(xl domid ${victim})/data/attack`,
    ];
    return (await this.#host.exec(check.join(' && '))).code === 0;
  }
}
