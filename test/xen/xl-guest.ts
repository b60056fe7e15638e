import type { ControlDomain } from './control-domain.ts';

/** A test guest as `xl` starts it: the yardstick for our own toolstack. */
export interface XlGuest {
  readonly name: string;
  readonly type: 'pv' | 'pvh';
  /** Its address on xenbr0, with the length of its prefix. */
  readonly address: string;
}

/** How long the steps of a start took, in milliseconds, measured in the control domain. */
export interface XlTimes {
  /** Until `xl create` returned: the domain is built, has its devices and runs. */
  readonly create: number;
  /** Until the guest said its first line. */
  readonly ready: number;
}

/** Size of the guest's disk, in bytes. */
export const xlDiskSize = 2 ** 30;

/** Seconds after which a guest that has not said its first line counts as failed. */
const readyTimeout = 300;

/** The log that xenconsoled keeps of a guest's console. */
export function consoleLog(name: string): string {
  return `/var/log/xen/console/guest-${name}.log`;
}

/**
 * Starts the test guest by `xl create`, with a disk on a loop device and a NIC on xenbr0, and
 * waits for its first line. It is what an operator without Flotilla would do.
 */
export async function startXlGuest(host: ControlDomain, guest: XlGuest): Promise<XlTimes> {
  const { name, type, address } = guest;
  const disk = `/var/lib/xen/${name}.img`;
  await host.sh(`truncate -s ${xlDiskSize} ${disk}`);
  const device = (await host.sh(`losetup --find --show ${disk}`)).trim();
  const config = `/etc/xen/${name}.cfg`;
  await host.put(
    config,
    [
      `name = "${name}"`,
      `type = "${type}"`,
      'kernel = "/var/lib/flotilla/boot/vmlinuz-guest"',
      'ramdisk = "/var/lib/flotilla/boot/initrd-guest"',
      `extra = "console=hvc0 flotilla.ip=${address} flotilla.ping=${host.address}"`,
      'memory = 128',
      'vcpus = 1',
      `disk = [ "phy:${device},xvda,w" ]`,
      'vif = [ "bridge=xenbr0" ]',
      'on_crash = "preserve"',
      '',
    ].join('\n'),
  );
  const measured = [
    // Hundredths of a second since the boot; no program is started to read them.
    'now() { IFS=". " read -r seconds part _ </proc/uptime; echo "$seconds$part"; }',
    'start=$(now)',
    `xl create ${config} >/dev/null || exit 1`,
    'created=$(now)',
    `until grep -qs "flotilla guest: ready" ${consoleLog(name)}; do`,
    `  [ $(($(now) - start)) -gt ${readyTimeout}00 ] && exit 1`,
    '  sleep 0.1',
    'done',
    'echo "$((created - start)) $(($(now) - start))"',
  ];
  const printed = await host.sh(measured.join('\n'), { timeout: (readyTimeout + 120) * 1000 });
  const [create = 0, ready = 0] = printed.trim().split(' ').map(Number);
  return { create: create * 10, ready: ready * 10 };
}

/** Destroys a guest at once, and frees what `startXlGuest` gave it. */
export async function destroyXlGuest(host: ControlDomain, name: string): Promise<void> {
  const disk = `/var/lib/xen/${name}.img`;
  await host.exec(`xl destroy ${name}`);
  await host.sh(`losetup -j ${disk} | cut -d: -f1 | xargs -r losetup -d; rm -f ${disk}`);
}
