import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { Bridge, BridgeDriver, Joined } from './bridge-driver.ts';
import { type Ip, ipIn, type Link } from './ip.ts';

/**
 * The bridges of the Linux kernel, through iproute2. The kernel is the only state, so a restart of
 * the service changes nothing. A network namespace can be named; null is the process's own.
 */
export function linuxBridges(namespace: string | null): BridgeDriver {
  const ip = ipIn(namespace);
  return {
    ensure: async (bridge) => {
      const found = await find(ip, bridge.name);
      if (!found.ok) return found;
      if (found.value === null) {
        const made = await make(ip, bridge.name);
        if (!made.ok) return made;
      } else if (found.value.linkinfo?.info_kind !== 'bridge') return fail(notABridge(found.value));
      else if (fits(found.value, bridge)) return ok(undefined);
      const { name, mtu } = bridge;
      const up = await ip.run(['link', 'set', 'dev', name, 'mtu', String(mtu), 'up']);
      return !up.ok ? up : up.value === null ? fail(vanished(name)) : ok(undefined);
    },
    present: async (name) => {
      // Looked at often while a backend is on its way: without starting a program, where that can be.
      if (namespace === null) return ok(await exists(`/sys/class/net/${name}`));
      const found = await find(ip, name);
      return found.ok ? ok(found.value !== null) : found;
    },
    join: async (name, bridge) => {
      // The host itself says nothing on a guest's interface: no ARP, no multicast, as Xen's own
      // hotplug script (tools/hotplug/Linux/vif-bridge) has it.
      const quiet = ['arp', 'off', 'multicast', 'off'];
      const options = ['mtu', String(bridge.mtu), ...quiet, 'master', bridge.name, 'up'];
      const done = await ip.run(['link', 'set', 'dev', name, ...options]);
      if (!done.ok) return done;
      return done.value === null ? fail(noInterface(name, bridge.name)) : ok(undefined);
    },
    leave: async (name) => {
      const done = await ip.run(['link', 'set', 'dev', name, 'nomaster', 'down']);
      return done.ok ? ok(undefined) : done;
    },
    joined: async () => {
      const links = await ip.show(['type', 'bridge_slave']);
      if (!links.ok) return links;
      return ok((links.value ?? []).flatMap(joinedOf));
    },
  };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function find(ip: Ip, name: string): Promise<Result<Link | null, Failure>> {
  const shown = await ip.show(['dev', name]);
  return shown.ok ? ok(shown.value?.[0] ?? null) : shown;
}

/** Makes a bridge that forwards at once: it has no loops that spanning tree would have to find. */
async function make(ip: Ip, name: string): Promise<Result<void, Failure>> {
  const options = ['type', 'bridge', 'stp_state', '0', 'forward_delay', '0'];
  const made = await ip.run(['link', 'add', 'name', name, 'address', ownAddress(), ...options]);
  if (made.ok) return ok(undefined);
  // Somebody else may have made it between the look and now.
  const found = await find(ip, name);
  const isThere = found.ok && found.value?.linkinfo?.info_kind === 'bridge';
  return isThere ? ok(undefined) : made;
}

/**
 * An address that no other bridge has: of those that nobody assigns (bit 1 of the first byte), to one
 * station (bit 0). Without one a bridge takes the lowest of its ports' addresses, and all interfaces of
 * netback have the same, fe:ff:ff:ff:ff:ff. A driver domain behind a bridge of that address takes what is
 * for its neighbour for its own as soon as it serves an interface itself, and answers nobody.
 */
function ownAddress(): string {
  const [first = 0, ...rest] = randomBytes(6);
  return [(first & 0xfc) | 0x02, ...rest]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':');
}

function fits(link: Link, { mtu }: Bridge): boolean {
  return link.mtu === mtu && link.flags.includes('UP');
}

function joinedOf({ ifname, master }: Link): readonly Joined[] {
  return master === undefined ? [] : [{ interface: ifname, bridge: master }];
}

function notABridge({ ifname, linkinfo }: Link): Failure {
  return {
    reason: 'NETWORK',
    message: `the interface ${ifname} of this host is no bridge but ${linkinfo?.info_kind ?? 'a device'}`,
    remedy: 'Make the network with another bridge name.',
  };
}

function noInterface(name: string, bridge: string): Failure {
  return {
    reason: 'NETWORK',
    message: `${name} cannot join ${bridge}: one of them is not on this host`,
    remedy: 'See that the domain is running and that the network was prepared.',
  };
}

function vanished(name: string): Failure {
  return {
    reason: 'NETWORK',
    message: `the bridge ${name} was removed while it was set up`,
    remedy: 'See what removes bridges on this host, and try again.',
  };
}
