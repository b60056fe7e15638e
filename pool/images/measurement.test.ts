import test from 'ava';
import fc from 'fast-check';
import { serviceNames } from '../records/host.ts';
import type { HostId, Timestamp } from '../records/identifiers.ts';
import { type Sha256, sha256Of } from './digest.ts';
import {
  type ChainHead,
  chainBeginning,
  followChain,
  headAfter,
  type Measurement,
  measurementText,
  nextMeasurement,
  readMeasurement,
} from './measurement.ts';

const digest = fc.string().map(sha256Of);
const measured: fc.Arbitrary<Omit<Measurement, 'sequence' | 'previous'>> = fc.record({
  time: fc.nat().map((time) => time as Timestamp),
  domain: fc.record({ name: fc.string({ maxLength: 20 }), uuid: fc.uuid() }),
  service: fc.option(fc.constantFrom(...serviceNames)),
  kernel: fc.option(digest),
  initramfs: fc.option(digest),
  commandLine: digest,
  hostWords: fc.string({ maxLength: 20 }),
  manifest: fc.option(digest),
});

const beginning = chainBeginning('00000000-0000-4000-8000-000000000001' as HostId, 'a-boot');

function chain(parts: readonly Omit<Measurement, 'sequence' | 'previous'>[], from = beginning) {
  const measurements: Measurement[] = [];
  let head: ChainHead = from;
  for (const part of parts) {
    const next = nextMeasurement(head, part);
    measurements.push(next);
    head = headAfter(next);
  }
  return { measurements, head };
}

const chains = fc.array(measured, { minLength: 1, maxLength: 8 }).map((parts) => chain(parts));

test('a chain leads from its beginning to its head, and every line is read again', (t) => {
  fc.assert(
    fc.property(chains, fc.nat(), ({ measurements, head }, cut) => {
      const read = measurements.map((each) => readMeasurement(measurementText(each)));
      t.deepEqual(
        read,
        measurements.map((value) => ({ ok: true as const, value })),
      );
      t.deepEqual(followChain(beginning, measurements), { ok: true, value: head });
      const at = cut % measurements.length;
      const first = measurements[at];
      if (first === undefined) return;
      const from = { sequence: first.sequence - 1, digest: first.previous };
      t.deepEqual(followChain(from, measurements.slice(at)), { ok: true, value: head });
    }),
  );
});

test('a measurement that is changed, left out, moved or put in is noticed', (t) => {
  const isNoticed = (measurements: readonly Measurement[], head: ChainHead): boolean => {
    const followed = followChain(beginning, measurements);
    return !followed.ok || followed.value.digest !== head.digest;
  };
  fc.assert(
    fc.property(chains, fc.nat(), digest, ({ measurements, head }, place, other) => {
      const at = place % measurements.length;
      const one = measurements[at];
      if (one === undefined || one.kernel === other) return;
      t.true(isNoticed(measurements.toSpliced(at, 1, { ...one, kernel: other }), head), 'changed');
      t.true(isNoticed(measurements.toSpliced(at, 1), head), 'left out');
      t.true(isNoticed(measurements.toSpliced(at, 0, one), head), 'put in');
      const next = measurements[at + 1];
      if (next !== undefined)
        t.true(isNoticed(measurements.toSpliced(at, 2, next, one), head), 'moved');
    }),
  );
});

test('a chain of another host or of another boot is none of this one', (t) => {
  const { measurements } = chain(
    [fc.sample(measured, { numRuns: 1, seed: 1 })[0]].flatMap((one) => one ?? []),
  );
  t.is(measurements.length, 1);
  const host = '00000000-0000-4000-8000-000000000001' as HostId;
  for (const other of [
    chainBeginning(host, 'another-boot'),
    chainBeginning('00000000-0000-4000-8000-000000000002' as HostId, 'a-boot'),
  ]) {
    const followed = followChain(other, measurements);
    t.like(followed, { ok: false, error: { sequence: 1 } });
  }
});

test('where a chain is broken is said: at which measurement, and how', (t) => {
  const { measurements } = chain(fc.sample(measured, { numRuns: 3, seed: 2 }));
  const [first, second, third] = measurements;
  if (first === undefined || second === undefined || third === undefined) return t.fail();
  const changed = { ...second, commandLine: 'f'.repeat(64) as Sha256 };
  t.deepEqual(followChain(beginning, [first, third]), {
    ok: false,
    error: { sequence: 2, why: 'is missing; 3 comes next' },
  });
  t.like(followChain(beginning, [first, changed, third]), { ok: false, error: { sequence: 3 } });
  t.like(followChain(beginning, [second]), { ok: false, error: { sequence: 1 } });
  return undefined;
});

test('junk is no measurement', (t) => {
  fc.assert(fc.property(fc.string(), (text) => !readMeasurement(text).ok));
  fc.assert(fc.property(fc.json(), (text) => !readMeasurement(text).ok));
  t.pass();
});
