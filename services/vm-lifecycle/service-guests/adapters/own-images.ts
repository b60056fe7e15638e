import { join } from 'node:path';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { turns } from '../../../../base/turns.ts';
import type { Clock } from '../../../../pool/clock.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { HostId, Timestamp } from '../../../../pool/records/identifiers.ts';
import { openBootCopies } from '../../adapters/images/boot-copies.ts';
import type { GuestImages } from '../../adapters/images/guest-images.ts';
import { type MeasurementLog, openMeasurementLog } from '../../adapters/images/measurement-log.ts';

/** Guests that wait for their measurement to be written: a host has three. */
const waitingMax = 16;

/** What `admitImage` needs, and no pool: boot copies, and a log of this supervisor's own. */
export interface OwnImages extends Pick<GuestImages, 'copies' | 'record'> {
  close(): Promise<void>;
}

/** Where it is kept, and of which host and boot it is. */
export interface OwnImagesSettings {
  readonly host: { readonly id: HostId; readonly name: string };
  readonly dataDir: string;
  readonly boot: string;
  readonly clock: Clock;
}

/** The folder of the supervisor's measurement log, in its `dataDir`. */
export const measurementsFolder = 'measurements';

/**
 * Opens them. A log that was changed does not keep the supervisor from looking after what runs; what is
 * to be started is refused, each time until the log is whole or the host was restarted.
 */
export async function openOwnImages({
  host,
  dataDir,
  boot,
  clock,
}: OwnImagesSettings): Promise<Result<OwnImages, Failure>> {
  const copies = await openBootCopies(join(dataDir, 'boot-files'), host.name);
  if (!copies.ok) return copies;
  const queue = turns(waitingMax);
  let log: MeasurementLog | null = null;
  const folder = join(dataDir, measurementsFolder);
  const record: OwnImages['record'] = async (measured) => {
    const recorded = await queue.take('log', async () => {
      if (log === null) {
        const opened = await openMeasurementLog({ folder, host: host.id, boot });
        if (!opened.ok) return opened;
        log = opened.value;
      }
      const time = clock.wall() as number as Timestamp;
      const appended = await log.append({ ...measured, time });
      if (appended.ok) return appended;
      // Nobody knows what is in the file now: it is read anew.
      await log.close();
      log = null;
      return appended;
    });
    return recorded ?? fail(tooMany);
  };
  return ok({
    copies: copies.value,
    record,
    close: async () => {
      await log?.close();
      log = null;
    },
  });
}

const tooMany: Failure = {
  reason: 'BUSY',
  message: `more than ${waitingMax} guests wait for their measurement to be written`,
  remedy: 'See whether the disk of dataDir answers.',
};
