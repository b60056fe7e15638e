import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { DaemonOptions } from '../../services/xenstore/adapters/daemon/options.ts';
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
import { MemoryHost, MemoryRings } from '../fixtures/memory-rings.ts';
import { missingFor, Peer } from '../peers/peer.ts';
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
  options: DaemonOptions = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'xenstore-client-'));
  const journal = Journal.open(directory);
  if (!journal.ok) throw new Error(journal.error);
  const begun = Daemon.open(journal.value, options);
  if (!begun.ok) throw new Error(begun.error);
  await run(begun.value, directory);
  journal.value.close();
  rmSync(directory, { recursive: true });
}

let frames = 0;

/** A ring in memory, served to a client of the control domain. */
function ringTo(daemon: Daemon, host: MemoryHost, rings: MemoryRings): Transport {
  frames += 1;
  const gfn = frames;
  const shared = host.add(controlDomain, gfn);
  if (!daemon.introduce({ domain: controlDomain, gfn, port: 1, features: allFeatures }).ok)
    throw new Error('the ring is not mapped');
  return ring(shared.page, {
    notify: () => rings.signal(gfn),
    listen: (listener) => {
      shared.onEvent = () => setImmediate(() => listener?.());
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
    const host = new MemoryHost();
    const rings = new MemoryRings(host);
    await withDaemon((daemon) => run(subject(() => ringTo(daemon, host, rings))), { rings });
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

const missing = missingFor('xenstored');
for (const { title, newest, run } of xenstoreClientContract)
  if (missing !== null) test.skip(`C xenstored: ${title} (there is no ${missing})`, () => {});
  else if (newest) test.skip(`C xenstored: ${title} (Xen 4.17 does not have it)`, () => {});
  else
    test(`C xenstored: ${title}`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'xenstore-client-'));
      const peer = await Peer.start('xenstored', directory);
      await run(subject(() => unixSocket(peer.socket))).finally(() => peer.stop());
      rmSync(directory, { recursive: true });
      t.pass();
    });
