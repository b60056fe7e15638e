import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { present } from '../../base/assert.ts';
import { joined } from '../../pool/images/admission.ts';
import { sha256Of } from '../../pool/images/digest.ts';
import { encodeManifest, type Manifest } from '../../pool/images/manifest.ts';
import {
  chainBeginning,
  headAfter,
  type Measurement,
  nextMeasurement,
} from '../../pool/images/measurement.ts';
import type { HostId, Timestamp } from '../../pool/records/identifiers.ts';
import { measurementId } from '../../pool/records/measurement.ts';
import { writing } from '../../pool/transaction.ts';
import { pretendManifest, publishing, signingKey } from '../../test/fixtures/images.ts';
import { isGolden } from '../testing/golden.ts';
import { transcript } from '../testing/run.ts';
import { type SimulatedPool, simulatedPool } from '../testing/simulated-pool.ts';
import { simulatedNow } from '../testing/simulated-state.ts';

const boot = 'b007b007-0000-4000-8000-000000000000';
const xenstore = pretendManifest();
const network = pretendManifest({ service: 'network', commandLine: 'quiet' });

type Measured = Omit<Measurement, 'sequence' | 'previous'>;

function ofImage(name: string, manifest: Manifest, hostWords = ''): Measured {
  return {
    time: (simulatedNow - 60_000) as Timestamp,
    domain: { name, uuid: '00000000-0000-4000-8000-0000000000aa' },
    service: manifest.service,
    kernel: manifest.kernel.sha256,
    initramfs: manifest.initramfs.sha256,
    commandLine: sha256Of(joined(manifest.commandLine, hostWords)),
    hostWords,
    manifest: sha256Of(encodeManifest(manifest)),
  };
}

function ofVm(name: string): Measured {
  return {
    ...ofImage(name, xenstore),
    ...{ service: null, manifest: null, kernel: sha256Of(name), initramfs: null },
  };
}

/** Two hosts of which the first has measured these, one after the other. */
async function scene(t: ExecutionContext, measured: readonly Measured[], first = 1) {
  const pool = await simulatedPool(2);
  t.teardown(() => pool.close());
  const { records } = pool;
  const host = present(pool.state.find('host', 'host-1'), 'a host').id as HostId;
  let head = chainBeginning(host, boot);
  const measurements = measured.map((each) => {
    const next = nextMeasurement(head, each);
    head = headAfter(next);
    return next;
  });
  const writes = measurements
    .filter(({ sequence }) => sequence >= first)
    .map((each) => records.measurements.put(measurementId(host, boot, each.sequence), each));
  const told = records.measurementHeads.put(host, { boot, ...head, time: 1 as Timestamp });
  await records.database.transact(writing(...writes, told));
  await records.database.transact(writing(...publishing(records, xenstore, signingKey('mine'))));
  return { pool, host, measurements };
}

async function lines(pool: SimulatedPool, directory: string, ...commands: readonly string[]) {
  const seen: string[] = [];
  for (const line of commands) {
    const argv = [...line.split(' '), '--pool', pool.addresses.join(',')];
    seen.push(await transcript(argv, { directory }));
  }
  return seen.join('\n\n');
}

test('what runs is told image by image, and the exit code says whether all of it is signed', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-attest-'));
  t.teardown(() => rm(directory, { recursive: true }));
  for (const name of ['mine', 'other'])
    await writeFile(join(directory, `${name}.pub.pem`), signingKey(name).publicKey.pem);
  const { pool } = await scene(t, [
    ofImage('xenstore', xenstore),
    ofVm('web'),
    ofImage('network', network, 'flotilla.address=10.0.0.2/24'),
    ofImage('xenstore', xenstore, 'flotilla.log=kmsg'),
  ]);
  const seen = [
    await lines(
      pool,
      directory,
      'host attest',
      'host attest host-1 --json',
      'host attest host-2',
      'host attest host-3',
    ),
  ];
  await pool.records.database.transact(
    writing(...publishing(pool.records, network, signingKey('mine'))),
  );
  seen.push(
    await lines(
      pool,
      directory,
      'host attest host-1',
      'host attest host-1 --key mine.pub.pem',
      'host attest host-1 --key other.pub.pem',
      'host attest --help',
    ),
  );
  isGolden(t, 'host-attest', seen.join('\n\n'));
});

test('a measurement that was changed or taken away is noticed, whoever runs what', async (t) => {
  const { pool, host, measurements } = await scene(t, [
    ofImage('xenstore', xenstore),
    ofVm('web'),
    ofVm('db'),
  ]);
  const { records } = pool;
  const put = async (each: Measurement) =>
    records.database.transact(
      writing(records.measurements.put(measurementId(host, boot, each.sequence), each)),
    );
  const [first, second, last] = measurements;
  if (first === undefined || second === undefined || last === undefined) return t.fail();
  const seen: string[] = [];
  await put({ ...second, kernel: sha256Of('another') });
  seen.push(await lines(pool, '/', 'host attest host-1'));
  await put(second);
  await put({ ...last, kernel: sha256Of('another') });
  seen.push(await lines(pool, '/', 'host attest host-1'));
  const removed = records.measurements.remove(measurementId(host, boot, 3));
  await records.database.transact(writing(removed));
  seen.push(await lines(pool, '/', 'host attest host-1', 'host attest host-1 --json'));
  isGolden(t, 'host-attest-changed', seen.join('\n\n'));
  return undefined;
});

test('a guest that is not what its manifest says, or words that are not its own, are unknown', async (t) => {
  const { pool } = await scene(t, [
    { ...ofImage('one', xenstore), kernel: sha256Of('another') },
    { ...ofImage('two', xenstore), initramfs: null },
    { ...ofImage('three', xenstore), commandLine: sha256Of('init=/bin/sh') },
    { ...ofImage('four', xenstore), service: 'storage' },
  ]);
  isGolden(t, 'host-attest-unknown', await lines(pool, '/', 'host attest host-1'));
});

test('measurements of which the pool keeps the newest alone are told so', async (t) => {
  const measured = Array.from({ length: 5 }, (_, index) => ofVm(`vm-${index}`));
  const { pool } = await scene(t, measured, 4);
  isGolden(t, 'host-attest-newest', await lines(pool, '/', 'host attest host-1'));
});
