import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import { milliseconds } from '../base/units.ts';
import { connect } from './client.ts';
import { PoolService } from './gen/flotilla.pool.v1.ts';

test('a server that is away is looked for again and again, at pauses that do not grow for ever', async (t) => {
  // By gRPC's own measure the tenth look would come after two minutes.
  t.timeout(60_000);
  let looks = 0;
  const server = createServer((socket) => {
    looks += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  t.true(address !== null && typeof address === 'object');
  const port = typeof address === 'object' ? address?.port : undefined;
  const connection = connect(`127.0.0.1:${port}`, credentials.createInsecure());
  const pool = connection.client(PoolService);
  let answered = 0;
  while (looks < 10) {
    const asked = await pool.getPool({}, { timeout: milliseconds(1_000) });
    answered += asked.ok ? 1 : 0;
    await sleep(50);
  }
  t.is(answered, 0);
  connection.close();
  server.close();
});
