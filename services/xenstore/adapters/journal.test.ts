import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { LocalClient } from '../../../test/fixtures/local-client.ts';
import { MemoryHost, MemoryRings } from '../../../test/fixtures/memory-rings.ts';
import { bytesOf, textOf } from '../core/payload.ts';
import type { DomainId } from '../core/permissions.ts';
import type { MessageName } from '../core/wire.ts';
import { ByteReader, ByteWriter } from '../migration/bytes.ts';
import type { DaemonOptions } from './daemon/options.ts';
import { Daemon } from './daemon.ts';
import { Journal } from './journal.ts';
import { type Entry, readEntry, writeEntry } from './journal-entries.ts';

function directory(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), 'xenstored-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A xenstored of a directory, with a client; it is not closed: that is what a kill leaves. */
function begun(place: string, options: DaemonOptions = {}) {
  const journal = Journal.open(place);
  if (!journal.ok) throw new Error(journal.error);
  const opened = Daemon.open(journal.value, options);
  if (!opened.ok) throw new Error(opened.error);
  const daemon = opened.value;
  const events: string[] = [];
  const client = new LocalClient(daemon, (path) => events.push(path));
  const ask = (name: MessageName, text: string, transaction = 0): string => {
    const reply = client.request(name, transaction, bytesOf(text.replaceAll('|', '\0')));
    return reply.ok ? textOf(reply.value).replaceAll('\0', '|') : reply.error;
  };
  return { daemon, journal: journal.value, ask, events };
}

const settled = async () => {
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
};

test('[X65] after a kill everything that was acknowledged is there, and no client of a socket', async (t) => {
  const place = directory(t);
  const bytes = textOf(Uint8Array.from({ length: 256 }, (_, index) => index)).replaceAll('|', '');
  for (let life = 0; life < 3; life += 1) {
    const { ask, daemon } = begun(place);
    t.is(ask('READ', '/a/b|'), life === 0 ? 'ENOENT' : bytes.replaceAll('\0', '|'));
    t.is(daemon.clients, 1);
    t.is(ask('WATCH', '/a|t|'), 'OK|');
    ask('WRITE', `/a/b|${bytes}`);
    ask('WRITE', '/a/gone|x');
    ask('SET_PERMS', '/a|n3|r4|');
    ask('RM', '/a/gone|');
    ask('SET_QUOTA', 'nodes|7|');
    const transaction = Number.parseInt(ask('TRANSACTION_START', '|'), 10);
    t.is(ask('WRITE', '/a/never|x', transaction), 'OK|');
    if (life === 1) await settled();
  }
  const { ask } = begun(place);
  t.is(ask('GET_PERMS', '/a|'), 'n3|r4|');
  t.is(ask('DIRECTORY', '/a|'), 'b|');
  t.is(ask('GET_QUOTA', 'nodes|'), '7|');
  t.is(ask('CONTROL', 'check|'), 'OK|');
});

test('[X65] a request is kept before its reply leaves, one that changes nothing is not kept', (t) => {
  const place = directory(t);
  const { ask } = begun(place);
  const size = () => readFileSync(join(place, 'journal.1')).length;
  const empty = size();
  ask('WRITE', '/a|x');
  const one = size();
  t.true(one > empty);
  for (let round = 0; round < 100; round += 1) ask('READ', '/a|');
  t.is(size(), one);
});

test('[X65] what goes with its client is kept with what lasts after it, and not alone', (t) => {
  const place = directory(t);
  const { ask } = begun(place);
  const size = () => readFileSync(join(place, 'journal.1')).length;
  const empty = size();
  t.is(ask('WATCH', '/a|t|'), 'OK|');
  t.is(ask('TRANSACTION_START', '|'), '1|');
  t.is(ask('WRITE', '/a/b|x', 1), 'OK|');
  t.is(ask('READ', '/a/c|', 1), 'ENOENT');
  t.is(size(), empty);
  t.is(ask('TRANSACTION_END', 'T|', 1), 'OK|');
  t.true(size() > empty);
  const { ask: again } = begun(place);
  t.is(again('READ', '/a/b|'), 'x');
});

test('[X69] a batch that was cut short by a kill is dropped, wherever it was cut', (t) => {
  const place = directory(t);
  const { ask } = begun(place);
  ask('WRITE', '/a|x');
  const before = readFileSync(join(place, 'journal.1'));
  ask('WRITE', '/b|y');
  const after = readFileSync(join(place, 'journal.1'));
  for (let length = before.length; length < after.length; length += 1) {
    const cut = directory(t);
    writeFileSync(join(cut, 'journal.1'), after.subarray(0, length));
    const { ask: again } = begun(cut);
    t.deepEqual([again('READ', '/a|'), again('READ', '/b|')], ['x', 'ENOENT']);
  }
});

test('[X69] a journal or a snapshot that is damaged is refused, with what to do', async (t) => {
  const place = directory(t);
  const { ask } = begun(place);
  ask('WRITE', '/a|x');
  ask('WRITE', '/b|x');
  const refused = (name: string, at: number) => {
    const whole = readFileSync(join(place, name));
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    writeFileSync(join(place, name), damaged);
    const journal = Journal.open(place);
    const daemon = journal.ok ? Daemon.open(journal.value) : journal;
    writeFileSync(join(place, name), whole);
    return daemon.ok ? '' : daemon.error;
  };
  const head = readFileSync(join(place, 'journal.1')).indexOf('\n') + 1;
  // The length, the check of the length, the checksum, an entry.
  for (const at of [head, head + 3, head + 5, head + 9, head + 13, head + 20])
    t.regex(refused('journal.1', at), /journal\.1 is damaged at byte \d+; what to do: /);
  begun(place);
  await settled();
  const snapshot = readdirSync(place).find((name) => name.startsWith('snapshot')) ?? '';
  t.regex(refused(snapshot, 100), /snapshot\.\d+ is damaged: .*; what to do: /);
  t.is(begun(place).ask('READ', '/b|'), 'x');
});

test('[X69] what is of another boot of the host is not used: no domain outlives that', (t) => {
  const place = directory(t);
  begun(place).ask('WRITE', '/a|x');
  const file = join(place, 'journal.1');
  const text = readFileSync(file, 'latin1');
  const head = text.slice(0, text.indexOf('\n'));
  const other = head.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  writeFileSync(file, text.replace(head, other), 'latin1');
  t.is(begun(place).ask('READ', '/a|'), 'ENOENT');
  t.is(begun(place).ask('READ', '/a|'), 'ENOENT');
});

test('[X69] a snapshot is made while others are served, and a kill in the middle of it costs nothing', async (t) => {
  const place = directory(t);
  const first = begun(place);
  for (let index = 0; index < 2000; index += 1)
    first.ask('WRITE', `/many/${index}|${'x'.repeat(100)}`);
  const second = begun(place);
  second.ask('WRITE', '/during|1');
  t.true(readdirSync(place).some((name) => name.endsWith('.new')));
  const third = begun(place);
  t.is(third.ask('READ', '/during|'), '1');
  third.ask('WRITE', '/during|2');
  await settled();
  t.false(readdirSync(place).some((name) => name === 'journal.1'));
  appendFileSync(join(place, 'snapshot.99.new'), 'begun and never whole');
  const fourth = begun(place);
  t.is(fourth.ask('READ', '/during|'), '2');
  t.is(fourth.ask('READ', '/many/1999|'), 'x'.repeat(100));
});

test('[X70] the hypervisor is asked once: what it said is kept', (t) => {
  const place = directory(t);
  const rings = (exists: boolean) => {
    const host = new MemoryHost();
    if (exists) host.add(7 as DomainId, 7);
    return { rings: new MemoryRings(host) };
  };
  const before = begun(place, rings(true));
  before.ask('WRITE', '/a|x');
  t.is(before.ask('SET_PERMS', '/a|n7|'), 'OK|');
  t.is(before.ask('SET_PERMS', '/a|n9|'), 'ENOENT');
  const after = begun(place, rings(false));
  t.is(after.ask('GET_PERMS', '/a|'), 'n7|');
});

const entryOf: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('disconnect' as const, 'reset', 'ready', 'zeroed'),
    connection: fc.nat(),
  }),
  fc.record({
    kind: fc.constant('connect' as const),
    connection: fc.nat(),
    domain: fc.nat(0xffff).map((id) => id as DomainId),
  }),
  fc.record({
    kind: fc.constant('request' as const),
    connection: fc.nat(),
    packet: fc.record({
      type: fc.nat(),
      requestId: fc.nat(),
      transactionId: fc.nat(),
      payload: fc.uint8Array(),
    }),
  }),
  fc.record({
    kind: fc.constant('received' as const),
    connection: fc.nat(),
    bytes: fc.uint8Array(),
  }),
  fc.record({
    kind: fc.constant('broken' as const),
    connection: fc.nat(),
    fault: fc.constantFrom('communication' as const, 'indexes', 'protocol'),
  }),
  fc.record({
    kind: fc.constant('introduce' as const),
    place: fc.record({
      domain: fc.nat(0xffff).map((id) => id as DomainId),
      gfn: fc.maxSafeInteger(),
      port: fc.nat(),
      features: fc.nat(),
    }),
  }),
  fc.record({
    kind: fc.constant('answer' as const),
    ticket: fc.maxSafeNat(),
    answer: fc.oneof(
      fc.record({ kind: fc.constant('text' as const), text: fc.string() }),
      fc.record({ kind: fc.constant('refused' as const), error: fc.constant('EBUSY' as const) }),
    ),
  }),
  fc.constant({ kind: 'second' as const }),
);

test('[X65] an entry is what was written, and no bytes make the reader throw', (t) => {
  fc.assert(
    fc.property(fc.array(entryOf), fc.uint8Array(), (entries, noise) => {
      const writer = new ByteWriter();
      for (const entry of entries) writeEntry(writer, entry);
      const reader = new ByteReader(writer.take());
      for (const entry of entries)
        t.deepEqual(JSON.stringify(readEntry(reader)), JSON.stringify(plain(entry)));
      t.is(reader.left, 0);
      const broken = new ByteReader(noise);
      while (broken.left > 0 && readEntry(broken) !== null);
    }),
    { numRuns: 300 },
  );
});

/** Bytes as they are when they were read: views of a buffer. */
function plain(entry: Entry): unknown {
  switch (entry.kind) {
    case 'request':
      return { ...entry, packet: { ...entry.packet, payload: Buffer.from(entry.packet.payload) } };
    case 'received':
      return { ...entry, bytes: Buffer.from(entry.bytes) };
    default:
      return entry;
  }
}
