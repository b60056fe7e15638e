import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Milliseconds } from '../../base/units.ts';
import type { DomainId } from '../../hypervisor/port.ts';
import type { EventChannel, XenstoreHost } from '../../hypervisor/xenstore-port.ts';

/** A port of a domain that waits to be bound by the host under test, seen from the domain. */
export interface FarPort {
  readonly port: number;
  readonly events: () => number;
  notify(): void;
}

/** The implementation under test, with a domain that has a ring. */
export interface XenstoreHostSubject {
  /** A connection to the hypervisor, as a process has one. */
  open(): XenstoreHost;
  /** A running domain, whose page may be written to by the cases. */
  readonly domain: DomainId;
  /** The domain at whose end ports are opened. */
  readonly opener: DomainId;
  openPort(): FarPort;
  /** Bytes of the domain's page, as they are seen by another way. */
  peek(offset: number): number;
  poke(offset: number, value: number): void;
  /** Destroys the domain: the last thing that is done. */
  destroy(): Promise<void>;
  /** Longest wait for anything. */
  readonly patience: Milliseconds;
}

/** One promise of the port. The last ones end the domain. */
export interface XenstoreHostCase {
  readonly title: string;
  run(subject: XenstoreHostSubject): Promise<void>;
}

/** Bytes of the page that no ring uses. */
const spare = 3000;

/** What every implementation of the port of a xenstored does. */
export const xenstoreHostContract: readonly XenstoreHostCase[] = [
  {
    title: 'what one side writes into a page the other side sees',
    run: async (subject) => {
      const host = subject.open();
      const page = host.mapRing(subject.domain);
      assert.ok(page.ok);
      assert.equal(page.value.memory.byteLength, 4096);
      const bytes = new Uint8Array(page.value.memory);
      subject.poke(spare, 17);
      assert.equal(bytes[spare], 17);
      bytes[spare] = 18;
      assert.equal(subject.peek(spare), 18);
      host.close();
    },
  },
  {
    title: 'a page that was let go is reached by no view, and can be mapped again',
    run: async (subject) => {
      const host = subject.open();
      const page = host.mapRing(subject.domain);
      assert.ok(page.ok);
      const words = new Int32Array(page.value.memory);
      Atomics.store(words, spare / 4, 19);
      page.value.unmap();
      page.value.unmap();
      assert.throws(() => Atomics.load(words, spare / 4), TypeError);
      const again = host.mapRing(subject.domain);
      assert.ok(again.ok);
      assert.equal(new Int32Array(again.value.memory)[spare / 4], 19);
      again.value.unmap();
      host.close();
    },
  },
  {
    title: 'what there is not cannot be mapped or bound, and is gone',
    run: async (subject) => {
      const host = subject.open();
      const nobody = 30_000 as DomainId;
      assert.ok(!host.mapRing(nobody).ok);
      assert.ok(!host.bind(nobody, 5, () => undefined).ok);
      assert.equal(host.presence(nobody), 'gone');
      assert.equal(host.presence(subject.domain), 'running');
      host.close();
    },
  },
  {
    title: 'after an event no other comes until it is unmasked, and none is lost',
    run: async (subject) => {
      const host = subject.open();
      const far = subject.openPort();
      let events = 0;
      const near = bound(host, subject, far, () => {
        events += 1;
      });
      far.notify();
      await until(subject, () => events === 1);
      far.notify();
      far.notify();
      await sleep(50);
      assert.equal(events, 1);
      near.unmask();
      await until(subject, () => events === 2);
      await sleep(50);
      assert.equal(events, 2);
      const before = far.events();
      near.notify();
      await until(subject, () => far.events() > before);
      host.close();
    },
  },
  {
    title: 'a port that was unbound can be bound again, and so can all when the process has ended',
    run: async (subject) => {
      const [first, second] = [subject.open(), subject.open()];
      const far = subject.openPort();
      let events = 0;
      const count = () => {
        events += 1;
      };
      const near = bound(first, subject, far, () => assert.fail('this end is closed'));
      assert.ok(!second.bind(subject.opener, far.port, count).ok);
      near.unbind();
      near.unbind();
      bound(first, subject, far, () => assert.fail('this end is closed'));
      first.close();
      await sleep(50);
      bound(second, subject, far, count);
      far.notify();
      await until(subject, () => events === 1);
      second.close();
    },
  },
  {
    title: 'a page stays when its domain is destroyed',
    run: async (subject) => {
      const host = subject.open();
      const page = host.mapRing(subject.domain);
      assert.ok(page.ok);
      const words = new Int32Array(page.value.memory);
      Atomics.store(words, spare / 4, 20);
      await subject.destroy();
      await until(subject, () => host.presence(subject.domain) === 'gone');
      assert.equal(Atomics.load(words, spare / 4), 20);
      Atomics.store(words, spare / 4, 21);
      page.value.unmap();
      host.close();
    },
  },
];

function bound(
  host: XenstoreHost,
  { opener }: XenstoreHostSubject,
  { port }: FarPort,
  onEvent: () => void,
): EventChannel {
  const channel = host.bind(opener, port, onEvent);
  assert.ok(channel.ok, channel.ok ? '' : channel.error.detail);
  return channel.value;
}

async function until({ patience }: XenstoreHostSubject, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + patience;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, 'it did not come about');
    await sleep(5);
  }
}
