import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { DomainId } from '../../../hypervisor/port.ts';
import { type SimulatedGuest, SimulatedRings } from '../../../hypervisor/simulated/index.ts';
import { LocalClient } from '../../../test/fixtures/local-client.ts';
import { bytesOf, textOf } from '../core/payload.ts';
import { type MessageName, messageName, messageTypes } from '../core/wire.ts';
import { ClientRing } from '../rings/client.ts';
import { fields, requestQueue, responseQueue, ringFaults } from '../rings/layout.ts';
import { MemoryPage, type RingPage } from '../rings/page.ts';
import { Daemon } from './daemon.ts';
import { Journal } from './journal.ts';
import { DomainRings } from './rings.ts';

/** A guest's kernel at its end of a ring. */
class Guest {
  readonly heard: string[] = [];
  readonly #domain: SimulatedGuest;
  readonly port: number;
  readonly ring: ClientRing;

  constructor(domain: SimulatedGuest) {
    this.#domain = domain;
    this.port = domain.openPort(() => this.#look());
    this.ring = new ClientRing(this.page, () => domain.notify(this.port));
  }

  /** The page, wherever it is: the simulation moves it when xenstored lets it go. */
  get page(): RingPage {
    const now = () => new MemoryPage(this.#domain.memory);
    return {
      load: (offset) => now().load(offset),
      store: (offset, value) => now().store(offset, value),
      copyOut: (offset, target) => now().copyOut(offset, target),
      copyIn: (offset, source) => now().copyIn(offset, source),
    };
  }

  openPort(): number {
    return this.#domain.openPort(() => this.#look());
  }

  notify(): void {
    this.#domain.notify(this.port);
  }

  ask(...requests: readonly (readonly [MessageName, string])[]): void {
    for (const [name, text] of requests) {
      const payload = bytesOf(text.replaceAll('|', '\0'));
      this.ring.send({ type: messageTypes[name], requestId: 0, transactionId: 0, payload });
    }
    this.ring.flush();
  }

  #look(): void {
    const received = this.ring.receive();
    if (received.kind === 'packets')
      for (const { type, payload } of received.packets)
        this.heard.push(`${messageName(type)} ${textOf(payload).replaceAll('\0', '|')}`);
    else this.heard.push(received.kind);
    if (received.kind !== 'broken') this.ring.flush();
  }
}

/** Lets everything happen that is on its way. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
}

function serving(t: ExecutionContext, xen = new SimulatedRings()) {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const troubles: string[] = [];
  const onTrouble = (domain: DomainId, trouble: string) => troubles.push(`${domain} ${trouble}`);
  const claimed = DomainRings.claim(xen.open(), { onTrouble });
  if (!claimed.ok) throw new Error(claimed.error);
  const rings = claimed.value;
  const journal = Journal.open(directory);
  if (!journal.ok) throw new Error(journal.error);
  const begun = Daemon.open(journal.value, { rings });
  if (!begun.ok) throw new Error(begun.error);
  const daemon = begun.value;
  const served = rings.serve(daemon);
  t.true(served.ok);
  t.teardown(() => {
    rings.close();
    journal.value.close();
    rmSync(directory, { recursive: true });
  });
  const client = new LocalClient(daemon, () => undefined);
  const ask = (name: MessageName, text: string): string => {
    const reply = client.request(name, 0, bytesOf(text.replaceAll('|', '\0')));
    return reply.ok ? textOf(reply.value).replaceAll('\0', '|') : reply.error;
  };
  const start = (id: number): Guest => {
    const guest = new Guest(xen.create(id as DomainId));
    t.is(ask('INTRODUCE', `${id}|1|${guest.port}|`), 'OK|');
    t.is(ask('WRITE', `/local/domain/${id}|`), 'OK|');
    t.is(ask('SET_PERMS', `/local/domain/${id}|n${id}|`), 'OK|');
    return guest;
  };
  return { xen, daemon, troubles, ask, start };
}

test('what the control domain has asked before xenstored came is answered', async (t) => {
  const xen = new SimulatedRings();
  const page = new MemoryPage(xen.control.memory);
  const kernel = new ClientRing(page, () => undefined);
  const payload = bytesOf('/tool/xenstored\0');
  kernel.send({ type: messageTypes.DIRECTORY, requestId: 7, transactionId: 0, payload });
  kernel.flush();
  serving(t, xen);
  await settled();
  const received = kernel.receive();
  t.is(received.kind === 'packets' && received.packets[0]?.requestId, 7);
});

test('a guest is introduced, reads and writes over its ring, and hears of changes', async (t) => {
  const { start, ask } = serving(t);
  const guest = start(7);
  guest.ask(['WRITE', 'a|x'], ['WATCH', 'a|token|'], ['READ', '/local/domain/7/a|']);
  await settled();
  t.is(ask('READ', '/local/domain/7/a|'), 'x');
  ask('WRITE', '/local/domain/7/a|y');
  await settled();
  t.deepEqual(guest.heard, [
    'WRITE OK|',
    'WATCH OK|',
    'WATCH_EVENT a|token|',
    'READ x',
    'WATCH_EVENT a|token|',
  ]);
});

test('a payload that is larger than the ring crosses it, both ways', async (t) => {
  const { start } = serving(t);
  const guest = start(7);
  const value = 'v'.repeat(1900);
  guest.ask(['WRITE', `a|${value}`], ['READ', 'a|']);
  await settled();
  t.deepEqual(guest.heard, ['WRITE OK|', `READ ${value}`]);
});

test('a guest that writes nonsense into its ring harms only itself, and may start anew', async (t) => {
  const { start, troubles, ask } = serving(t);
  const [hostile, other] = [start(7), start(8)];
  for (let round = 0; round < 3; round += 1) {
    hostile.page.store(requestQueue.producer, 0x7fffffff);
    hostile.notify();
    await settled();
    hostile.ring.reconnect();
    await settled();
    hostile.ask(['WRITE', 'a|x']);
    await settled();
  }
  t.deepEqual(hostile.heard.slice(0, 3), ['broken', 'reconnected', 'WRITE OK|']);
  t.deepEqual(troubles, ['7 is served no longer: its ring has indexes that cannot be']);
  other.ask(['WRITE', 'a|x']);
  await settled();
  t.deepEqual(other.heard, ['WRITE OK|']);
  t.is(ask('IS_DOMAIN_INTRODUCED', '7|'), 'T|');
});

test('nonsense that is found when an event is sent is told, though the guest never signals', async (t) => {
  const { start, troubles, ask } = serving(t);
  const guest = start(7);
  guest.ask(['WATCH', 'a|token|']);
  await settled();
  guest.page.store(responseQueue.producer, 0x7fffffff);
  ask('WRITE', '/local/domain/7/a|y');
  await settled();
  t.deepEqual(troubles, ['7 is served no longer: its ring has indexes that cannot be']);
  t.is(guest.page.load(fields.error), ringFaults.indexes);
});

test('a guest that is told why it is served no longer finds it in its page', async (t) => {
  const { start } = serving(t);
  const guest = start(7);
  guest.page.store(requestQueue.producer, 5000);
  guest.notify();
  await settled();
  t.is(guest.ring.state, 'broken');
  t.is(guest.page.load(fields.error), ringFaults.indexes);
});

test('who asks much is not served before who asks little', async (t) => {
  const { start } = serving(t);
  const [busy, quiet] = [start(7), start(8)];
  const order: string[] = [];
  busy.heard.push = (...words) => order.push(...words.map(() => 'busy'));
  quiet.heard.push = (...words) => order.push(...words.map(() => 'quiet'));
  busy.ask(...Array.from({ length: 200 }, () => ['READ', 'a|'] as const));
  quiet.ask(['READ', 'a|']);
  await settled();
  t.true(order.indexOf('quiet') < 60, `${order.indexOf('quiet')} before it`);
  t.is(order.length, 201);
});

test('a guest that is held because it takes no replies can still start anew', async (t) => {
  const { xen, ask } = serving(t);
  const domain = xen.create(7 as DomainId);
  const port = domain.openPort(() => undefined);
  t.is(ask('INTRODUCE', `7|1|${port}|`), 'OK|');
  ask('SET_QUOTA', '7|outstanding|1|');
  ask('WRITE', `/a|${'v'.repeat(900)}`);
  ask('SET_PERMS', '/a|n0|r7|');
  const page = new MemoryPage(domain.memory);
  const first = new ClientRing(page, () => domain.notify(port));
  for (let count = 0; count < 30; count += 1)
    first.send({
      ...{ type: messageTypes.READ, requestId: 0, transactionId: 0 },
      payload: bytesOf('/a\0'),
    });
  first.flush();
  await settled();
  t.true(page.load(requestQueue.producer) > page.load(requestQueue.consumer), 'it is held');
  t.true(first.reconnect());
  await settled();
  t.is(first.receive().kind, 'reconnected');
});

test('when a domain dies, its ring is let go and its watchers are told', async (t) => {
  const { xen, start, ask } = serving(t);
  const domain = xen.create(7 as DomainId);
  const { memory } = domain;
  const port = domain.openPort(() => undefined);
  t.is(ask('INTRODUCE', `7|1|${port}|`), 'OK|');
  const watcher = start(8);
  ask('SET_PERMS', '@releaseDomain|n0|r8|');
  watcher.ask(['WATCH', '@releaseDomain|t|']);
  await settled();
  xen.end(7 as DomainId, 'shutdown');
  await settled();
  t.is(ask('IS_DOMAIN_INTRODUCED', '7|'), 'T|');
  xen.end(7 as DomainId, 'gone');
  await settled();
  t.is(ask('IS_DOMAIN_INTRODUCED', '7|'), 'F|');
  t.is(ask('READ', '/local/domain/7|'), 'ENOENT');
  t.true(memory.detached, 'the page is mapped no longer');
  t.deepEqual(watcher.heard, [
    'WATCH OK|',
    'WATCH_EVENT @releaseDomain|t|',
    'WATCH_EVENT @releaseDomain|t|',
    'WATCH_EVENT @releaseDomain|t|',
  ]);
});

test('a domain that is introduced again has another event channel and an empty ring', async (t) => {
  const { xen, start, ask } = serving(t);
  const guest = start(7);
  guest.page.store(requestQueue.producer, 5000);
  guest.notify();
  await settled();
  const domain = xen.create(9 as DomainId);
  t.is(ask('INTRODUCE', '9|1|99|'), 'EIO');
  const port = domain.openPort(() => undefined);
  t.is(ask('INTRODUCE', `9|1|${port}|`), 'OK|');
  const again = guest.openPort();
  t.is(ask('INTRODUCE', `7|1|${again}|`), 'OK|');
  t.is(guest.page.load(requestQueue.producer), 0);
});

test('a second xenstored is refused, and the first one goes on', async (t) => {
  const { xen, start } = serving(t);
  const host = xen.open();
  const second = DomainRings.claim(host, { onTrouble: () => undefined });
  t.regex(second.ok ? '' : second.error, /EEXIST/);
  host.close();
  const guest = start(7);
  guest.ask(['WRITE', 'a|x']);
  await settled();
  t.deepEqual(guest.heard, ['WRITE OK|']);
});
