import test from 'ava';
import { pageLength, requestQueue, ringFeatures } from '../../rings/layout.ts';
import { MemoryPage } from '../../rings/page.ts';
import { ServerRing } from '../../rings/server.ts';
import { XenstoreClient } from '../client.ts';
import { ring } from './ring.ts';

/** A ring whose server replies to each request with the request. */
function echoing(features: number) {
  const page = new MemoryPage(new ArrayBuffer(pageLength));
  let listener: (() => void) | null = null;
  let resets = 0;
  const server = new ServerRing(page, { features, notify: () => setImmediate(() => listener?.()) });
  const transport = ring(page, {
    notify: () =>
      setImmediate(() => {
        server.flush();
        const turn = server.turn();
        if (turn.kind === 'reset') resets += 1;
        if (turn.kind === 'requests') for (const packet of turn.packets) server.send(packet);
        server.flush();
      }),
    listen: (next) => {
      listener = next;
    },
  });
  return { page, server, transport, resets: () => resets };
}

test('a second connection over the same page is begun anew by the server', async (t) => {
  const { transport, resets } = echoing(ringFeatures.reconnection);
  for (const expected of [0, 1]) {
    const client = await XenstoreClient.open(transport);
    if (!client.ok) throw new Error(client.error.message);
    t.true((await client.value.mkdir('/a')).ok);
    t.is(resets(), expected);
    client.value.close();
  }
});

test('a server that offers no reconnection has one connection', async (t) => {
  const { transport } = echoing(0);
  t.true((await XenstoreClient.open(transport)).ok);
  const second = await XenstoreClient.open(transport);
  t.regex(second.ok ? '' : second.error.message, /offers no reconnection/);
});

test('a ring that the server has ended fails what waits, and says why', async (t) => {
  const { transport, page, server } = echoing(ringFeatures.error);
  const client = await XenstoreClient.open(transport);
  if (!client.ok) throw new Error(client.error.message);
  page.store(requestQueue.consumer, 77);
  server.turn();
  const made = await client.value.mkdir('/a');
  t.is(made.ok ? '' : made.error.code, 'DISCONNECTED');
  t.regex(made.ok ? '' : made.error.message, /error 2/);
});
