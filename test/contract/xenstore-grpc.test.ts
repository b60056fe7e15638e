import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Daemon } from '../../services/xenstore/adapters/daemon.ts';
import type { Xenstore } from '../../services/xenstore/adapters/grpc/xenstore.ts';
import { gatewayTo, localXenstore } from '../../services/xenstore/adapters/grpc.ts';
import { Journal } from '../../services/xenstore/adapters/journal.ts';
import { serveUnixSocket } from '../../services/xenstore/adapters/unix-socket.ts';
import {
  characterDevice,
  inProcess,
  unixSocket,
  XenstoreClient,
} from '../../services/xenstore/client/index.ts';
import { controlDomain } from '../../services/xenstore/core/permissions.ts';
import { xenbusOf } from '../fixtures/xenbus.ts';
import { xenstoreOverGrpc } from '../fixtures/xenstore-over-grpc.ts';
import { type XenstoreGrpcSubject, xenstoreGrpcContract } from './xenstore-grpc.ts';

/** The ways to a daemon's store. A gateway is elsewhere, so one way is a socket. */
const ways: Readonly<Record<string, (daemon: Daemon, socket: string) => Xenstore>> = {
  'in process': (daemon) => localXenstore(daemon),
  'gateway by a socket': (_, socket) => gatewayTo(unixSocket(socket)),
  "gateway by the kernel's device": (daemon) =>
    gatewayTo(characterDevice('/dev/xen/xenbus', async () => xenbusOf(daemon))),
};

async function withSubject(
  way: (daemon: Daemon, socket: string) => Xenstore,
  run: (subject: XenstoreGrpcSubject) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'xenstore-grpc-'));
  const journal = Journal.open(join(directory));
  if (!journal.ok) throw new Error(journal.error);
  const begun = Daemon.open(journal.value);
  if (!begun.ok) throw new Error(begun.error);
  const daemon = begun.value;
  const path = join(directory, 'socket');
  const socket = await serveUnixSocket(daemon, path, () => undefined);
  if (!socket.ok) throw new Error(socket.error);
  const direct = await XenstoreClient.open(inProcess((peer) => daemon.attach(controlDomain, peer)));
  if (!direct.ok) throw new Error(direct.error.message);
  const xenstore = way(daemon, path);
  const served = await xenstoreOverGrpc(xenstore);
  await run({ client: served.client, direct: direct.value });
  await served.close();
  direct.value.close();
  await socket.value.close();
  journal.value.close();
  rmSync(directory, { recursive: true });
}

for (const [way, xenstoreOf] of Object.entries(ways))
  for (const { title, run } of xenstoreGrpcContract)
    test(`${way}: ${title}`, async (t) => {
      await withSubject(xenstoreOf, run);
      t.pass();
    });
