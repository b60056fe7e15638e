import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { Clock } from '../../../../pool/clock.ts';
import { commit } from '../../../../pool/commit.ts';
import type { Write } from '../../../../pool/database.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { headAfter, type Measurement } from '../../../../pool/images/measurement.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { HostId, Timestamp } from '../../../../pool/records/identifiers.ts';
import { type MeasurementHead, measurementId } from '../../../../pool/records/measurement.ts';
import { writing } from '../../../../pool/transaction.ts';
import type { MeasurementLog } from './measurement-log.ts';

/** The newest measurements of a boot that the pool database keeps; the host's own log has all. */
const kept = 1000;

/** Measurements of one transaction: each is a write and perhaps a removal, and etcd takes 128. */
const batch = 50;

/** Removals of one transaction. */
const removals = 100;

/** How long a database that does not answer is left alone. */
const retry = milliseconds(5000);

/** What of a log is copied where. */
export interface CopySettings {
  readonly pool: Pool;
  readonly host: HostId;
  readonly clock: Clock;
  readonly log: MeasurementLog;
  onFailure(failure: Failure): void;
}

/** Keeps the pool's copy of a log up to date. */
export interface MeasurementCopy {
  /** There is more to copy. */
  wake(): void;
  /**
   * Whether the pool knows of measurements that the log does not have: then the log was changed. Ok
   * while the database does not answer, since the first guests of a host start before it does.
   */
  verdict(): Result<void, Failure>;
  /** Resolves when the database has answered, or failed to, for the first time. */
  readonly asked: Promise<void>;
  close(): Promise<void>;
}

/** Begins to copy. The pool is asked at once what it has; it may answer later. */
export function copyMeasurements(settings: CopySettings): MeasurementCopy {
  const { pool, host, clock, log, onFailure } = settings;
  const closing = new AbortController();
  /** The sequence number up to which the pool has them; null: it was not asked yet. */
  let copied: number | null = null;
  let verdict: Result<void, Failure> = ok(undefined);
  let working: Promise<void> | null = null;
  let tellAsked = (): void => {};
  const asked = new Promise<void>((resolve) => {
    tellAsked = resolve;
  });

  const copyAll = async (): Promise<Result<void, Failure>> => {
    if (copied === null) {
      const found = await pool.measurementHeads.get(host);
      if (!found.ok) return found;
      const record = found.value?.record ?? null;
      verdict = compare(log, record);
      if (!verdict.ok) return verdict;
      const cleared = await forgetOtherBoots(pool, host, log.boot);
      if (!cleared.ok) return cleared;
      copied = record?.boot === log.boot ? record.sequence : 0;
    }
    for (let more = nextOf(log, copied); more.length > 0; more = nextOf(log, copied)) {
      const written = await write(settings, more);
      if (!written.ok) return written;
      copied = more.at(-1)?.sequence ?? copied;
    }
    return ok(undefined);
  };
  const work = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const done = await copyAll();
      tellAsked();
      if (done.ok) return;
      onFailure(done.error);
      if (!verdict.ok) return;
      await clock.sleep(retry, closing.signal);
    }
  };
  const wake = (): void => {
    if (working !== null || closing.signal.aborted) return;
    const seen = log.head().sequence;
    working = work().then(() => {
      working = null;
      // What was appended while the last batch was on its way.
      if (verdict.ok && log.head().sequence > seen) wake();
    });
  };
  wake();
  return {
    wake,
    verdict: () => verdict,
    asked,
    close: async () => {
      closing.abort();
      await working;
    },
  };
}

function nextOf(log: MeasurementLog, copied: number): readonly Measurement[] {
  const from = Math.max(copied, log.head().sequence - kept);
  return log.after(from).slice(0, batch);
}

async function write(
  { pool, host, clock, log }: CopySettings,
  measurements: readonly Measurement[],
): Promise<Result<void, Failure>> {
  const last = measurements.at(-1);
  if (last === undefined) return ok(undefined);
  const { boot } = log;
  const writes: Write[] = measurements.flatMap((each) => {
    const put = pool.measurements.put(measurementId(host, boot, each.sequence), each);
    if (each.sequence <= kept) return [put];
    return [put, pool.measurements.remove(measurementId(host, boot, each.sequence - kept))];
  });
  const time = clock.wall() as number as Timestamp;
  const head = pool.measurementHeads.put(host, { boot, ...headAfter(last), time });
  const committed = await commit(pool.database, writing(...writes, head));
  return committed.ok ? ok(undefined) : committed;
}

/** What the pool knows of this boot must be a part of the log. */
function compare(log: MeasurementLog, known: MeasurementHead | null): Result<void, Failure> {
  if (known === null || known.boot !== log.boot) return ok(undefined);
  const { sequence } = log.head();
  if (known.sequence > sequence)
    return fail(
      contradiction(
        `the pool knows ${known.sequence} measurements of this boot, the log ${sequence}`,
      ),
    );
  // What lies before the newest file was compared when it was written.
  const there = log.headAt(known.sequence);
  if (there === null || there.digest === known.digest) return ok(undefined);
  return fail(contradiction(`measurement ${known.sequence} is not the one that the pool knows`));
}

async function forgetOtherBoots(
  pool: Pool,
  host: HostId,
  boot: string,
): Promise<Result<void, Failure>> {
  const all = await pool.measurements.all(`${host}/`);
  if (!all.ok) return all;
  const own = pool.measurements.key(`${host}/${boot}/`);
  const old = all.value.filter(({ key }) => !key.startsWith(own));
  for (let at = 0; at < old.length; at += removals) {
    const part = old.slice(at, at + removals);
    const ids = part.flatMap(({ key }) => pool.measurements.idOf(key) ?? []);
    const removed = await commit(
      pool.database,
      writing(...ids.map((id) => pool.measurements.remove(id))),
    );
    if (!removed.ok) return removed;
  }
  return ok(undefined);
}

function contradiction(why: string): Failure {
  return {
    reason: 'IMAGE',
    message: `the measurement log of this host was changed: ${why}`,
    remedy:
      'Keep its files, compare them with what the pool knows (flotilla host attest), and find out who changed them. Restart the host then: each boot begins a log of its own.',
  };
}
