import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fail, ok } from '../../../base/result.ts';
import { LocalClient } from '../../../test/fixtures/local-client.ts';
import { bytesOf, textOf } from '../core/payload.ts';
import type { DomainId } from '../core/permissions.ts';
import { type MessageName, messageName, messageTypes } from '../core/wire.ts';
import type { ServerRingState } from '../rings/server-state.ts';
import type { Attached, RingPeer } from './attached.ts';
import type { DaemonOptions } from './daemon/options.ts';
import { Daemon } from './daemon.ts';
import { Journal } from './journal.ts';
import { Trace } from './trace.ts';

/** A guest's ring, without the ring: what came out of it, and how to put something in. */
class Guest implements RingPeer {
  readonly boundPort = 1;
  readonly heard: string[] = [];
  attached: Attached | null = null;

  send(packet: { readonly type: number; readonly payload: Uint8Array }): void {
    const content = textOf(packet.payload).replaceAll('\0', '|');
    this.heard.push(`${messageName(packet.type)} ${content}`);
  }

  hold(held: boolean): void {
    this.heard.push(held ? 'held' : 'let go');
  }

  close(): void {
    this.heard.push('closed');
  }

  rebind(port: number): void {
    this.heard.push(`rebound to ${port}`);
  }

  state(): ServerRingState {
    const unsent = { bytes: new Uint8Array(0), rest: 0 };
    const indexes = { consumed: 0, consumedBefore: 0, produced: 0, ended: 0 };
    return { received: new Uint8Array(0), unsent, ...indexes, fault: null, resetting: null };
  }

  ask(name: MessageName, text: string): void {
    const payload = bytesOf(text.replaceAll('|', '\0'));
    const packet = { type: messageTypes[name], requestId: 0, transactionId: 0, payload };
    this.attached?.request(packet);
  }
}

function daemonWith(t: ExecutionContext, options: DaemonOptions): Daemon {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const journal = Journal.open(directory);
  if (!journal.ok) throw new Error(journal.error);
  t.teardown(() => {
    journal.value.close();
    rmSync(directory, { recursive: true });
  });
  const begun = Daemon.open(journal.value, options);
  if (!begun.ok) throw new Error(begun.error);
  return begun.value;
}

/** A daemon whose hypervisor has the domains 7 and 8, and maps the ring of 7 alone. */
function withGuest(t: ExecutionContext, options: DaemonOptions = {}) {
  const guest = new Guest();
  const daemon = daemonWith(t, {
    ...options,
    rings: {
      exists: (domain) => domain === 7 || domain === 8,
      map: ({ domain }, attached) => {
        if (domain !== 7) return fail('EIO');
        guest.attached = attached;
        return ok(guest);
      },
    },
  });
  const client = new LocalClient(daemon, () => undefined);
  const ask = (name: MessageName, text: string): string => {
    const reply = client.request(name, 0, bytesOf(text.replaceAll('|', '\0')));
    return reply.ok ? textOf(reply.value).replaceAll('\0', '|') : reply.error;
  };
  return { daemon, guest, ask };
}

test('a domain is introduced, served, introduced again and released', (t) => {
  const { guest, ask } = withGuest(t);
  t.is(ask('INTRODUCE', '8|1|3|'), 'EIO');
  t.is(ask('INTRODUCE', '7|1|3|'), 'OK|');
  guest.ask('GET_DOMAIN_PATH', '7|');
  t.is(ask('INTRODUCE', '7|1|4|'), 'OK|');
  t.is(ask('RELEASE', '7|'), 'OK|');
  t.is(ask('IS_DOMAIN_INTRODUCED', '7|'), 'F|');
  t.deepEqual(guest.heard, ['GET_DOMAIN_PATH /local/domain/7|', 'rebound to 4', 'closed']);
});

test('[X64] what domains ask by their rings is in the access log, and that they come and go', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const trace = new Trace(join(directory, 'log'), (message) => t.fail(message));
  const { guest, ask } = withGuest(t, { trace });
  t.true(trace.turnOn().ok);
  ask('INTRODUCE', '7|1|3|');
  guest.ask('READ', 'data/none|');
  ask('RELEASE', '7|');
  trace.turnOff();
  const lines = readFileSync(join(directory, 'log'), 'utf8').split('\n');
  const ofGuest = lines.map((line) => line.split(' domain 7 ')[1]).filter((line) => line);
  t.deepEqual(ofGuest, [
    'connection 2 is connected',
    'connection 2 in  READ data/none',
    'connection 2 out ERROR EACCES',
    'connection 2 is gone',
  ]);
});

test('without a hypervisor no ring is mapped', (t) => {
  const client = new LocalClient(daemonWith(t, {}), () => undefined);
  t.deepEqual(client.request('INTRODUCE', 0, bytesOf('7\x001\x003\0')), fail('ENOSYS'));
  t.deepEqual(client.request('CONTROL', 0, bytesOf('print\0x\0')), fail('ENOSYS'));
});

test('permissions are for domains that the hypervisor has, served or not', (t) => {
  const { guest, ask } = withGuest(t);
  ask('WRITE', '/a|x');
  ask('WRITE', '/b|x');
  t.is(ask('SET_PERMS', '/a|n0|r7|r9|'), 'OK|');
  t.is(ask('SET_PERMS', '/b|n9|'), 'ENOENT');
  ask('INTRODUCE', '7|1|3|');
  guest.ask('READ', '/a|');
  t.deepEqual(guest.heard, ['READ x']);
});

test('what the hypervisor says of domains ends those that are gone', (t) => {
  const { daemon, guest, ask } = withGuest(t);
  const events: string[] = [];
  const watcher = new LocalClient(daemon, (path) => events.push(path));
  watcher.request('WATCH', 0, bytesOf('@releaseDomain\0t\0'));
  ask('INTRODUCE', '7|1|3|');
  daemon.domainsChanged(() => 'running');
  daemon.domainsChanged(() => 'shutdown');
  daemon.domainsChanged((domain: DomainId) => (domain === 7 ? 'gone' : 'running'));
  daemon.domainsChanged(() => 'gone');
  t.deepEqual(guest.heard, ['closed']);
  t.deepEqual(events, ['@releaseDomain', '@releaseDomain', '@releaseDomain']);
});

test('a guest that reads no replies is held, and let go; its quota is told of once', (t) => {
  const told: string[] = [];
  const onQuota = (domain: DomainId, quota: string) => told.push(`${quota} of ${domain}`);
  const { guest, ask } = withGuest(t, { onQuota });
  ask('INTRODUCE', '7|1|3|');
  ask('SET_QUOTA', '7|outstanding|2|');
  for (let round = 0; round < 3; round += 1) {
    guest.ask('GET_DOMAIN_PATH', '7|');
    guest.ask('GET_DOMAIN_PATH', '7|');
    t.true(guest.attached?.awaited);
    guest.attached?.taken(2);
    t.deepEqual(guest.heard.splice(0).slice(-2), ['held', 'let go']);
  }
  t.deepEqual(told, ['outstanding of 7']);
});

test('a ring that is there from the start is served without a request for it', (t) => {
  const { daemon, guest } = withGuest(t);
  t.false(daemon.serves(7 as DomainId));
  const place = { domain: 7 as DomainId, gfn: 1, port: 3, features: 0 };
  t.true(daemon.introduce(place).ok);
  t.true(daemon.serves(7 as DomainId));
  guest.ask('GET_DOMAIN_PATH', '7|');
  t.deepEqual(guest.heard, ['GET_DOMAIN_PATH /local/domain/7|']);
  t.deepEqual(daemon.introduce({ ...place, domain: 8 as DomainId }), fail('EIO'));
});

test('a command of CONTROL is answered when the process has done it', async (t) => {
  const daemon = daemonWith(t, {
    control: async (command, [word = '']) => ok(`${command} ${word}`),
  });
  const guest = new Guest();
  guest.attached = daemon.attach(0 as DomainId, guest);
  guest.ask('CONTROL', 'log|on|');
  guest.ask('CONTROL', 'check|');
  await new Promise(setImmediate);
  t.deepEqual(guest.heard, ['CONTROL OK|', 'CONTROL log on|']);
});
