import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { unixSocket, XenstoreClient } from '../../services/xenstore/client/index.ts';
import { missingFor, Peer, type PeerName } from './peer.ts';

/** Two of the same side by side: each has a socket and a store of its own. */
async function serveTheirOwn(name: PeerName, directory: string): Promise<[string, string]> {
  const peers = [
    await Peer.start(name, join(directory, 'one')),
    await Peer.start(name, join(directory, 'other')),
  ];
  const read = await Promise.all(
    peers.map(async ({ socket }, index) => {
      const client = await XenstoreClient.open(unixSocket(socket));
      if (!client.ok) throw new Error(client.error.message);
      await client.value.write('/whose', `number ${index}`);
      const text = await client.value.readText('/whose');
      client.value.close();
      return text.ok ? text.value : text.error.message;
    }),
  );
  for (const peer of peers) await peer.stop();
  return [read[0] ?? '', read[1] ?? ''];
}

for (const name of ['xenstored', 'oxenstored'] as const) {
  const missing = missingFor(name);
  const title = `Debian's ${name} serves as a plain process, any number of times at once`;
  if (missing !== null) test.skip(`${title} (there is no ${missing})`, () => {});
  else
    test(title, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'peers-'));
      t.teardown(() => rmSync(directory, { recursive: true, force: true }));
      t.deepEqual(await serveTheirOwn(name, directory), ['number 0', 'number 1']);
    });
}
