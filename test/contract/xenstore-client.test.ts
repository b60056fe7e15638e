import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Daemon } from '../../services/xenstore/adapters/daemon.ts';
import { Journal } from '../../services/xenstore/adapters/journal.ts';
import { serveUnixSocket } from '../../services/xenstore/adapters/unix-socket.ts';
import {
  inProcess,
  ring,
  type Transport,
  unixSocket,
  XenstoreClient,
} from '../../services/xenstore/client/index.ts';
import { allFeatures } from '../../services/xenstore/core/domain.ts';
import { controlDomain } from '../../services/xenstore/core/permissions.ts';
import { Store } from '../../services/xenstore/core/store.ts';
import { pageLength } from '../../services/xenstore/rings/layout.ts';
import { MemoryPage } from '../../services/xenstore/rings/page.ts';
import { ServerRing } from '../../services/xenstore/rings/server.ts';
import { type XenstoreClientSubject, xenstoreClientContract } from './xenstore-client.ts';

let roots = 0;

function subject(transport: () => Transport): XenstoreClientSubject {
  roots += 1;
  return {
    root: `/flotilla-contract/${process.pid}-${roots}`,
    open: async (options) => {
      const client = await XenstoreClient.open(transport(), options);
      if (!client.ok) throw new Error(client.error.message);
      return client.value;
    },
  };
}

async function withDaemon(
  run: (daemon: Daemon, directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'xenstore-client-'));
  const store = new Store();
  const journal = Journal.open(directory, store);
  if (!journal.ok) throw new Error(journal.error);
  await run(new Daemon(store, journal.value), directory);
  journal.value.close();
  rmSync(directory, { recursive: true });
}

/** A ring in memory, served to a client of the control domain. */
function ringTo(daemon: Daemon): Transport {
  const page = new MemoryPage(new ArrayBuffer(pageLength));
  let listener: (() => void) | null = null;
  const server = new ServerRing(page, {
    features: allFeatures,
    notify: () => setImmediate(() => listener?.()),
  });
  const attached = daemon.attach(controlDomain, {
    send: (packet) => {
      server.send(packet);
      setImmediate(() => attached.taken(server.flush()));
    },
  });
  const serve = () => {
    attached.taken(server.flush());
    const turn = server.turn();
    if (turn.kind === 'reset') attached.reset();
    if (turn.kind === 'requests') for (const packet of turn.packets) attached.request(packet);
    attached.taken(server.flush());
    if (turn.kind === 'requests' && turn.more) setImmediate(serve);
  };
  return ring(page, {
    notify: () => setImmediate(serve),
    listen: (next) => {
      listener = next;
    },
  });
}

for (const { title, run } of xenstoreClientContract) {
  test(`in process: ${title}`, async (t) => {
    await withDaemon((daemon) =>
      run(subject(() => inProcess((peer) => daemon.attach(controlDomain, peer)))),
    );
    t.pass();
  });

  test(`ring: ${title}`, async (t) => {
    await withDaemon((daemon) => run(subject(() => ringTo(daemon))));
    t.pass();
  });

  test(`socket: ${title}`, async (t) => {
    await withDaemon(async (daemon, directory) => {
      const path = join(directory, 'socket');
      const served = await serveUnixSocket(daemon, path, t.log);
      if (!served.ok) throw new Error(served.error);
      await run(subject(() => unixSocket(path)));
      await served.value.close();
    });
    t.pass();
  });
}

// C xenstored serves only where there is Xen: whoever runs one names its socket here.
const foreign = process.env.FLOTILLA_TEST_XENSTORED_SOCKET;
for (const { title, newest, run } of xenstoreClientContract)
  test.serial(`C xenstored: ${title}`, async (t) => {
    if (foreign === undefined)
      t.log('skipped: FLOTILLA_TEST_XENSTORED_SOCKET names no socket of a C xenstored');
    else if (newest) t.log('skipped: the C xenstored of Xen 4.17 does not have it');
    else await run(subject(() => unixSocket(foreign)));
    t.pass();
  });
