import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import { type Bytes, bytes, formatBytes, milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { XenstoreService } from '../../proto/gen/flotilla.xenstore.v1.ts';
import { unixSocket, XenstoreClient } from '../../services/xenstore/client/index.ts';
import { XenstoredProcess } from '../e2e/xenstored-process.ts';
import { attackFromThread } from './attacker.ts';
import { crowds, http2Attacks } from './http2-attacks.ts';
import { memoryOf } from './target.ts';

/** By how much the daemon may grow under any attack on its port of gRPC. */
const growthMax: Bytes = bytes(512 * 2 ** 20);

/** `FLOTILLA_SEED=N` replays one seed. */
const seed = Number(process.env.FLOTILLA_SEED ?? 1);

test('whatever comes to its port of gRPC, a xenstored serves its socket on', async (t) => {
  t.timeout(300_000);
  const xenstored = new XenstoredProcess();
  t.teardown(() => xenstored.dispose());
  const { address } = await xenstored.start('--listen', '127.0.0.1:0');
  const opened = await XenstoreClient.open(unixSocket(xenstored.socket));
  if (!opened.ok) return t.fail(opened.error.message);
  const client = opened.value;
  const before = memoryOf(xenstored.pid);
  let peak = before;
  let last = 'nothing';
  let isOver = false;
  const witness = async () => {
    for (let served = 0; !isOver; served += 1) {
      await client.write('/witness', `${served}`);
      const read = await client.readText('/witness');
      t.is(read.ok ? read.value : read.error.message, `${served}`, `seed ${seed}, at "${last}"`);
      peak = Math.max(peak, memoryOf(xenstored.pid));
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const witnessing = witness();
  const attacks = [...http2Attacks, ...crowds].map(({ name }) => name);
  const path = '/flotilla.xenstore.v1.XenstoreService/Read';
  const claim = { pool: '', from: 0, to: 0 };
  await attackFromThread({ attacks, address: String(address), path, seed, claim }, (attack) => {
    last = attack;
  });
  isOver = true;
  await witnessing;
  const connection = connect(String(address), credentials.createInsecure());
  const timeout = milliseconds(60_000);
  const asked = await connection.client(XenstoreService).exists({ path: '/witness' }, { timeout });
  t.true(asked.ok && asked.value.exists, 'its port of gRPC serves on, too');
  connection.close();
  const grown = formatBytes(bytes(peak - before));
  t.true(peak - before < growthMax, `seed ${seed}: it grew by ${grown}`);
  t.log(`seed ${seed}: it grew by ${grown}`);
  client.close();
});
