import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import type { DomainId } from '../../hypervisor/port.ts';
import { SimulatedRings } from '../../hypervisor/simulated/index.ts';
import { xenstoreHostContract } from './xenstore-host.ts';

for (const { title, run } of xenstoreHostContract)
  test(`simulated: ${title}`, async (t) => {
    const xen = new SimulatedRings();
    const domain = 7 as DomainId;
    const guest = xen.create(domain);
    await run({
      open: () => xen.open(),
      domain,
      opener: domain,
      openPort: () => {
        let events = 0;
        const port = guest.openPort(() => {
          events += 1;
        });
        return { port, events: () => events, notify: () => guest.notify(port) };
      },
      peek: (offset) => new Uint8Array(guest.memory)[offset] ?? -1,
      poke: (offset, value) => {
        new Uint8Array(guest.memory)[offset] = value;
      },
      destroy: async () => xen.end(domain, 'gone'),
      patience: milliseconds(10_000),
    });
    t.pass();
  });
