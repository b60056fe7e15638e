import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { present } from '../../base/assert.ts';
import { milliseconds } from '../../base/units.ts';
import type { DomainId } from '../../hypervisor/port.ts';
import { EventChannels } from '../../hypervisor/xen/event-channels.ts';
import { loadKernel } from '../../hypervisor/xen/kernel.ts';
import { openLinuxXenstoreHost } from '../../hypervisor/xen/xenstore-host.ts';
import type { XenstoreHost } from '../../hypervisor/xenstore-port.ts';
import { xenstoreHostContract } from './xenstore-host.ts';

/**
 * Runs the suite of a xenstored's port on real Xen, in a control domain in which a xenstored runs:
 * `node xenstore-host-xen.ts --domain DOMID`. The domain is destroyed. It reports as TAP.
 */

const { values } = parseArgs({ options: { domain: { type: 'string' } } });
const domain = Number(present(values.domain, '--domain')) as DomainId;

const open = (): XenstoreHost => {
  const host = openLinuxXenstoreHost();
  if (!host.ok) throw new Error(host.error.detail);
  return host.value;
};
const own = open();
const watcher = own.mapRing(domain);
if (!watcher.ok) throw new Error(watcher.error.detail);
const seen = new Uint8Array(watcher.value.memory);
const channels = new EventChannels(loadKernel());

let failures = 0;
process.stdout.write(`TAP version 14\n1..${xenstoreHostContract.length}\n`);
for (const [position, { title, run }] of xenstoreHostContract.entries()) {
  const failure = await run({
    open,
    // This domain itself: a guest's only port for us is the one that xenstored has bound.
    opener: 0 as DomainId,
    domain,
    openPort: () => {
      let events = 0;
      const channel = channels.open(() => {
        events += 1;
        if (channel.ok) channel.value.unmask();
      });
      if (!channel.ok) throw new Error(channel.error.detail);
      const { localPort: port, notify } = channel.value;
      return { port, events: () => events, notify };
    },
    peek: (offset) => seen[offset] ?? -1,
    poke: (offset, value) => {
      seen[offset] = value;
    },
    destroy: async () => {
      execFileSync('xl', ['destroy', String(domain)]);
      watcher.value.unmap();
    },
    patience: milliseconds(60_000),
  }).then(
    () => null,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  if (failure !== null) failures += 1;
  process.stdout.write(`${failure === null ? 'ok' : 'not ok'} ${position + 1} - ${title}\n`);
  if (failure !== null) process.stdout.write(`  ${failure.replaceAll('\n', '\n  ')}\n`);
}
channels.close();
own.close();
// A case that failed has left connections open: they must not keep the process.
process.exit(failures === 0 ? 0 : 1);
