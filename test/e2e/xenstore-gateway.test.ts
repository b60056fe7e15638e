import { status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { milliseconds } from '../../base/units.ts';
import { failureOf } from '../../pool/rpc/status.ts';
import { gatewayTo } from '../../services/xenstore/adapters/grpc.ts';
import { unixSocket } from '../../services/xenstore/client/index.ts';
import { xenstoreOverGrpc } from '../fixtures/xenstore-over-grpc.ts';
import { XenstoredProcess } from './xenstored-process.ts';

/** What a call may take on a busy machine. */
const patience = { timeout: milliseconds(60_000) };

/** A gateway to a xenstored that is a process of its own. */
async function gatewayOf(t: ExecutionContext, timeout = milliseconds(30_000)) {
  const xenstored = new XenstoredProcess();
  await xenstored.start();
  const xenstore = gatewayTo(unixSocket(xenstored.socket), { timeout });
  const { client, close } = await xenstoreOverGrpc(xenstore);
  t.teardown(async () => {
    await close();
    await xenstored.dispose();
  });
  return { xenstored, client };
}

test('what is in flight when xenstored is killed fails as UNAVAILABLE, and the next call works', async (t) => {
  t.timeout(300_000);
  const { xenstored, client } = await gatewayOf(t);
  t.true((await client.write({ path: '/a', value: Buffer.from('1') }, patience)).ok);
  const begun = await client.startTransaction({}, patience);
  const transaction = begun.ok ? begun.value.transaction : 0;
  const watch = client.watch({ path: '/a' });
  const ended = new Promise((resolve) => watch.once('status', ({ code }) => resolve(code)));
  watch.on('error', () => undefined);
  await new Promise((resolve) => watch.once('data', resolve));
  process.kill(xenstored.pid, 'SIGSTOP');
  const reads = [1, 2, 3].map(() => client.read({ path: '/a' }, patience));
  // They have left when another call, which needs no xenstored, is answered after them.
  t.false((await client.control({ words: [] }, patience)).ok);
  await xenstored.end('SIGKILL');
  for (const read of await Promise.all(reads)) {
    t.is(read.ok ? status.OK : read.error.code, status.UNAVAILABLE);
    const { reason, message } = read.ok ? { reason: '', message: '' } : failureOf(read.error);
    t.is(reason, 'SERVICE_UNAVAILABLE');
    t.regex(message, /^the connection to xenstored is over: /);
  }
  t.is(await ended, status.UNAVAILABLE);
  const nobody = await client.read({ path: '/a' }, patience);
  t.is(nobody.ok ? status.OK : nobody.error.code, status.UNAVAILABLE);
  await xenstored.start();
  const read = await client.read({ path: '/a' }, patience);
  t.is(read.ok ? Buffer.from(read.value.value).toString() : read.error.details, '1');
  const lost = await client.endTransaction({ transaction, commit: true }, patience);
  t.is(lost.ok ? status.OK : lost.error.code, status.UNAVAILABLE);
  const over = await client.endTransaction({ transaction, commit: true }, patience);
  t.is(over.ok ? status.OK : over.error.code, status.NOT_FOUND);
});

test('a xenstored that hangs is told from one that refuses, and the next call works', async (t) => {
  t.timeout(300_000);
  const { xenstored, client } = await gatewayOf(t, milliseconds(3_000));
  t.true((await client.makeDirectory({ path: '/a' }, patience)).ok);
  process.kill(xenstored.pid, 'SIGSTOP');
  const read = await client.read({ path: '/a' }, patience);
  t.is(read.ok ? status.OK : read.error.code, status.UNAVAILABLE);
  t.regex(read.ok ? '' : read.error.details, /READ: no reply within/);
  process.kill(xenstored.pid, 'SIGCONT');
  const next = await client.read({ path: '/a' }, patience);
  t.true(next.ok);
});
