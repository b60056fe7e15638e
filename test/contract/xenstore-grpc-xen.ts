import { parseArgs } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { present } from '../../base/assert.ts';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { XenstoreService } from '../../proto/gen/flotilla.xenstore.v1.ts';
import { kernelDevice, XenstoreClient } from '../../services/xenstore/client/index.ts';
import { xenstoreGrpcContract } from './xenstore-grpc.ts';

/**
 * Runs the suite of xenstore's gRPC against a gateway on real Xen, in a control domain whose kernel reaches
 * the same xenstore: `node xenstore-grpc-xen.ts --address HOST:PORT`. It reports as TAP.
 */

const { values } = parseArgs({ options: { address: { type: 'string' } } });
const address = present(values.address, '--address');

/** An emulated host makes fifty nodes a second, and a case 1500. */
const patience = milliseconds(300_000);

/** What the cases make. */
const made = ['/vm/web', '/vm/db', '/a', '/b', '/many', '/t', 'relative'];

const opened = await XenstoreClient.open(kernelDevice(), { timeout: patience });
if (!opened.ok) throw new Error(opened.error.message);
const direct = opened.value;
const connection = connect(address, credentials.createInsecure());
const client = connection.client(XenstoreService);

const cases = xenstoreGrpcContract.filter(({ alone }) => alone !== true);
let failures = 0;
process.stdout.write(`TAP version 14\n1..${cases.length}\n`);
for (const [position, { title, run }] of cases.entries()) {
  const failure = await run({ client, direct }).then(
    () => null,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  if (failure !== null) failures += 1;
  process.stdout.write(`${failure === null ? 'ok' : 'not ok'} ${position + 1} - ${title}\n`);
  if (failure !== null) process.stdout.write(`# ${failure.replaceAll('\n', '\n# ')}\n`);
  for (const path of made) await direct.remove(path);
}
connection.close();
direct.close();
// A case that failed may have left a stream that keeps the process.
process.exit(failures === 0 ? 0 : 1);
