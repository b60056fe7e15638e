import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { DomainConfig } from '../../../../hypervisor/port.ts';
import type { Clock } from '../../../../pool/clock.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { sha256Of } from '../../../../pool/images/digest.ts';
import type { Measurement } from '../../../../pool/images/measurement.ts';
import type { Pool } from '../../../../pool/pool.ts';
import type { HostId, Timestamp } from '../../../../pool/records/identifiers.ts';
import { Turns } from '../turns.ts';
import type { BootCopies } from './boot-copies.ts';
import { openBootCopies } from './boot-copies.ts';
import { copyMeasurements, type MeasurementCopy } from './measurement-copy.ts';
import { type MeasurementLog, openMeasurementLog } from './measurement-log.ts';

/**
 * How long the first guest waits for the pool to say what it knows of the log. A host's first guests
 * start before the pool database answers, and cannot wait for it.
 */
const comparePatience = milliseconds(2000);

/** What is measured of a domain. */
export type DomainToMeasure = Pick<
  DomainConfig,
  'uuid' | 'name' | 'kernel' | 'ramdisk' | 'commandLine'
>;

/** What the hypervisor is to be handed in place of a domain's boot files: what was measured. */
export interface MeasuredBoot {
  /** Empty where the domain names no kernel, as the pretend guests of a simulated host do. */
  readonly kernel: string;
  readonly ramdisk: string | null;
  /** The hypervisor has read them. */
  release(): Promise<void>;
}

/** Boot files and measurements of one host. */
export interface GuestImages {
  /** Makes private copies of an ordinary VM's boot files, and writes down what they are. */
  measure(domain: DomainToMeasure): Promise<Result<MeasuredBoot, Failure>>;
  /** For `admitImage`. */
  readonly copies: BootCopies;
  /** Writes down a measurement; it is on the disk when this resolves. */
  record(measured: Unchained): Promise<Result<Measurement, Failure>>;
  close(): Promise<void>;
}

type Unchained = Omit<Measurement, 'sequence' | 'previous' | 'time'>;

/** Where a host keeps them, and whom it tells. */
export interface GuestImagesSettings {
  readonly host: { readonly id: HostId; readonly name: string };
  /** The service's own folder. */
  readonly dataDir: string;
  /** See `bootId`. */
  readonly boot: string;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The boot that this machine is in, by a name that Linux chooses anew each time. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/**
 * Opens what a host needs to measure its guests. A log that was changed does not keep the service
 * from starting: what runs is looked after; what is to be started is refused.
 */
export async function openGuestImages(
  settings: GuestImagesSettings,
): Promise<Result<GuestImages, Failure>> {
  const { host, dataDir, clock } = settings;
  const copies = await openBootCopies(join(dataDir, 'boot-files'), host.name);
  if (!copies.ok) return copies;
  const turns = new Turns();
  const evidence = new Evidence(settings);
  // What an earlier process could not tell the pool is told now.
  await turns.take(() => evidence.open());
  const record = (measured: Unchained) =>
    turns.take(() => evidence.append({ ...measured, time: clock.wall() as number as Timestamp }));
  return ok({
    copies: copies.value,
    record,
    measure: async ({ uuid, name, kernel, ramdisk, commandLine }) => {
      const files = await copies.value.take({ kernel: kernel === '' ? null : kernel, ramdisk });
      if (!files.ok) return files;
      const { release } = files.value;
      const measured = await record({
        domain: { uuid, name },
        service: null,
        kernel: files.value.kernel?.sha256 ?? null,
        initramfs: files.value.ramdisk?.sha256 ?? null,
        commandLine: sha256Of(commandLine),
        hostWords: '',
        manifest: null,
      });
      if (!measured.ok) {
        await release();
        return measured;
      }
      return ok({
        kernel: files.value.kernel?.path ?? '',
        ramdisk: files.value.ramdisk?.path ?? null,
        release,
      });
    },
    close: () => evidence.close(),
  });
}

/** The log of this boot and its copy in the pool, opened again after a failure. */
class Evidence {
  readonly #settings: GuestImagesSettings;
  #opened: { readonly log: MeasurementLog; readonly copy: MeasurementCopy } | null = null;

  constructor(settings: GuestImagesSettings) {
    this.#settings = settings;
  }

  async open(): Promise<Result<MeasurementLog, Failure>> {
    if (this.#opened !== null) {
      const verdict = this.#opened.copy.verdict();
      return verdict.ok ? ok(this.#opened.log) : verdict;
    }
    const { host, dataDir, boot, pool, clock, log: words } = this.#settings;
    const log = await openMeasurementLog({
      folder: join(dataDir, 'measurements'),
      host: host.id,
      boot,
    });
    if (!log.ok) {
      words.error({ failure: log.error }, 'no guest is started: it could not be measured');
      return log;
    }
    const copy = copyMeasurements({
      pool,
      host: host.id,
      clock,
      log: log.value,
      onFailure: (failure) => words.warn({ failure }, 'the pool was not told what was measured'),
    });
    this.#opened = { log: log.value, copy };
    return log;
  }

  async append(
    measured: Omit<Measurement, 'sequence' | 'previous'>,
  ): Promise<Result<Measurement, Failure>> {
    const opened = await this.open();
    if (!opened.ok) return opened;
    const { clock } = this.#settings;
    await Promise.race([this.#opened?.copy.asked, clock.sleep(comparePatience)]);
    const log = await this.open();
    if (!log.ok) return log;
    const appended = await log.value.append(measured);
    if (!appended.ok) {
      await this.close();
      return fail(appended.error);
    }
    this.#opened?.copy.wake();
    return appended;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    await opened?.copy.close();
    await opened?.log.close();
  }
}
