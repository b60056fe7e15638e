import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fail, ok } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { LocalClient } from '../../../test/fixtures/local-client.ts';
import type { Transport } from '../client/link.ts';
import { textOf } from '../core/payload.ts';
import { Daemon } from './daemon.ts';
import { Commands } from './grpc/control.ts';
import { SharedClient } from './grpc/shared-client.ts';
import { Transactions } from './grpc/transactions.ts';
import { watchNodes } from './grpc/watch.ts';
import { gatewayTo, localXenstore } from './grpc.ts';
import { Journal } from './journal.ts';

function daemonOf(t: ExecutionContext): Daemon {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const journal = Journal.open(directory);
  if (!journal.ok) throw new Error(journal.error);
  const begun = Daemon.open(journal.value);
  if (!begun.ok) throw new Error(begun.error);
  t.teardown(() => {
    journal.value.close();
    rmSync(directory, { recursive: true });
  });
  return begun.value;
}

test('a transaction is its caller’s alone, and there are not too many', async (t) => {
  const transactions = new Transactions(localXenstore(daemonOf(t)));
  const own = await transactions.begin('host-1/storage');
  const name = own.ok ? own.value : 0;
  for (const other of ['host-1/network', null]) {
    t.false(transactions.enter(other, name, '/a').ok);
    t.false((await transactions.end(other, name, true)).ok);
  }
  t.true(transactions.enter('host-1/storage', name, '/a').ok);
  const begun = await Promise.all(Array.from({ length: 260 }, () => transactions.begin(null)));
  t.is(begun.filter((each) => each.ok).length, 250);
  t.true((await transactions.begin('host-1/storage')).ok, 'another caller has room of its own');
  t.true((await transactions.end('host-1/storage', name, true)).ok);
  t.false((await transactions.end('host-1/storage', name, true)).ok);
  const [first] = begun;
  t.true((await transactions.end(null, first?.ok === true ? first.value : 0, false)).ok);
  t.true((await transactions.begin(null)).ok, 'there is room again');
});

test('a transaction that its caller leaves open ends by itself, without effect', async (t) => {
  const daemon = daemonOf(t);
  const local = new LocalClient(daemon, () => undefined);
  const transactions = new Transactions(localXenstore(daemon), milliseconds(1));
  const begun = await transactions.begin(null);
  const name = begun.ok ? begun.value : 0;
  const entered = transactions.enter(null, name, '/left');
  t.true(entered.ok && (await entered.value.mkdir('/left')).ok);
  while (transactions.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  t.false((await transactions.end(null, name, true)).ok);
  t.deepEqual(local.request('READ', 0, Buffer.from('/left\0')), fail('ENOENT'));
  const report = local.request('CONTROL', 0, Buffer.from('memreport\0'));
  t.regex(report.ok ? textOf(report.value) : '', /^domain 0: .* 0 transactions/m);
});

test('a caller that does not read what a watch tells is told so', async (t) => {
  const daemon = daemonOf(t);
  const local = new LocalClient(daemon, () => undefined);
  const unread: string[] = [];
  const over = new AbortController();
  const watched = await watchNodes(
    localXenstore(daemon),
    { path: '/slow' },
    {
      method: '',
      identity: null,
      signal: over.signal,
      send: async ({ path }) => {
        unread.push(path ?? '');
        for (let node = 0; node <= 2000; node += 1)
          local.request('MKDIR', 0, Buffer.from(`/slow/${node}\0`));
        await new Promise(setImmediate);
      },
    },
  );
  t.is(watched.ok ? '' : watched.error.reason, 'WATCH_TOO_SLOW');
  t.deepEqual(unread, ['/slow']);
});

test('where nobody can be reached, a call fails as a service that is not available', async (t) => {
  const nobody: Transport = { connect: async () => fail('nobody is there') };
  const gateway = gatewayTo(nobody);
  const answer = await new Commands(gateway).send(['help'], new AbortController().signal);
  t.deepEqual(answer.ok ? '' : [answer.error.reason, answer.error.message], [
    'SERVICE_UNAVAILABLE',
    'the connection to xenstored is over: nobody is there',
  ]);
  const tree = await gateway.tree([''], undefined);
  t.is(tree.ok ? '' : tree.error.reason, 'SERVICE_UNAVAILABLE');
});

test('commands that are not answered have so many places and no more', async (t) => {
  const links: unknown[] = [];
  const silent: Transport = {
    connect: async (listener) => {
      links.push(listener);
      return ok({ payloadMax: 4096, send: () => undefined, close: () => undefined });
    },
  };
  const gateway = gatewayTo(silent);
  const commands = new Commands(gateway);
  const gone = new AbortController();
  const asked = Array.from({ length: 4 }, () => commands.send(['check'], gone.signal));
  const fifth = await commands.send(['check'], gone.signal);
  t.is(fifth.ok ? '' : fifth.error.reason, 'LIMIT');
  gone.abort();
  for (const each of await Promise.all(asked)) t.is(each.ok ? '' : each.error.reason, 'CANCELLED');
  const still = await commands.send(['check'], new AbortController().signal);
  t.is(still.ok ? '' : still.error.reason, 'LIMIT', 'they are at work though nobody waits');
  t.is(links.length, 1);
  gateway.close();
});

test('all who ask at once have the same client, and after a loss another one', async (t) => {
  const ends: ((reason: string) => void)[] = [];
  const shared = new SharedClient({
    connect: async (listener) => {
      ends.push((reason) => listener.closed(reason));
      return ok({ payloadMax: 4096, send: () => undefined, close: () => undefined });
    },
  });
  const [first, second] = await Promise.all([shared.get(), shared.get()]);
  t.true(first?.ok === true && second?.ok === true && first.value === second.value);
  t.is(ends.length, 1);
  const waiting = first?.ok === true ? first.value.read('/a') : null;
  ends[0]?.('cut');
  const read = await waiting;
  t.is(read?.ok === false && read.error.code, 'DISCONNECTED');
  const third = await shared.get();
  t.true(third.ok && first?.ok === true && third.value !== first.value);
  t.is(ends.length, 2);
  shared.close();
  t.false(third.ok && third.value.connected);
});
