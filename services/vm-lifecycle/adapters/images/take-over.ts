import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import * as v from 'valibot';
import { errnoOf, replaceFile } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { Clock } from '../../../../pool/clock.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { Sha256Schema } from '../../../../pool/images/digest.ts';
import {
  type ChainHead,
  chainBeginning,
  followChain,
  headAfter,
  type Measurement,
  readMeasurement,
} from '../../../../pool/images/measurement.ts';
import type { HostId } from '../../../../pool/records/identifiers.ts';
import type { GuestImages } from './guest-images.ts';
import { broken } from './measurement-files.ts';

/** How often the other log is looked at: guests of services are seldom started. */
const lookEvery = milliseconds(5000);

/** What is remembered between two runs: how far the other log was taken over. */
const TakenSchema = v.strictObject({
  boot: v.string(),
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  digest: Sha256Schema,
});

/** Whose log is taken over, and into what. */
export interface TakeOverSettings {
  /** The folder of the other log. */
  readonly folder: string;
  /** Where it is remembered how far it was taken over. */
  readonly memory: string;
  readonly host: HostId;
  readonly boot: string;
  readonly images: Pick<GuestImages, 'record'>;
}

/**
 * Takes what the supervisor of service guests has measured into the host's own log, and so into the
 * pool: it starts guests before there is a pool, in a log that only it writes. What was taken over is
 * remembered after it was written down, so after a kill a measurement may be there twice, never not at
 * all. The failure is that the other log is not one chain: then nothing more is taken from it.
 */
export async function takeOver(settings: TakeOverSettings): Promise<Result<number, Failure>> {
  const { folder, memory, host, boot, images } = settings;
  const from = await remembered(memory, host, boot);
  const found = await measurementsAfter(folder, boot, from.sequence);
  if (!found.ok) return found;
  const followed = followChain(from, found.value);
  if (!followed.ok)
    return fail(broken(folder, `measurement ${followed.error.sequence} ${followed.error.why}`));
  for (const measurement of found.value) {
    const { sequence: _sequence, previous: _previous, time: _time, ...measured } = measurement;
    const recorded = await images.record(measured);
    if (!recorded.ok) return recorded;
    await replaceFile(memory, JSON.stringify({ boot, ...headAfter(measurement) }));
  }
  return ok(found.value.length);
}

/** Does so from time to time, until it is closed; what keeps it from doing so is told once. */
export function keepTakingOver(
  settings: TakeOverSettings & { readonly clock: Clock; readonly log: Logger },
): { close(): Promise<void> } {
  const { clock, log } = settings;
  const closing = new AbortController();
  let told = '';
  const work = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const taken = await takeOver(settings);
      const message = taken.ok ? '' : taken.error.message;
      if (!taken.ok && message !== told)
        log.error({ failure: taken.error }, 'what service guests were measured is not taken over');
      told = message;
      await clock.sleep(lookEvery, closing.signal);
    }
  };
  const working = work();
  return {
    close: async () => {
      closing.abort();
      await working;
    },
  };
}

/** Where nothing is remembered of this boot, the chain begins. */
async function remembered(memory: string, host: HostId, boot: string): Promise<ChainHead> {
  const text = await readFile(memory, 'utf8').catch(() => '');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), TakenSchema), text);
  return parsed.success && parsed.output.boot === boot
    ? { sequence: parsed.output.sequence, digest: parsed.output.digest }
    : chainBeginning(host, boot);
}

/** The whole lines of this boot after a sequence number: the last one may be just being written. */
async function measurementsAfter(
  folder: string,
  boot: string,
  after: number,
): Promise<Result<readonly Measurement[], Failure>> {
  const measurements: Measurement[] = [];
  try {
    const names = (await readdir(folder)).filter((name) => name.startsWith(`${boot}-`)).sort();
    for (const name of names) {
      const text = await readFile(join(folder, name), 'utf8');
      for (const line of text.split('\n').slice(0, -1)) {
        const read = readMeasurement(line);
        if (!read.ok)
          return fail(broken(join(folder, name), `a line cannot be read: ${read.error}`));
        if (read.value.sequence > after) measurements.push(read.value);
      }
    }
  } catch (error) {
    // The supervisor has not started anything yet.
    if (errnoOf(error) === 'ENOENT') return ok([]);
    return fail(broken(folder, `it cannot be read: ${String(error)}`));
  }
  return ok(measurements);
}
