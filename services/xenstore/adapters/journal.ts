import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes } from '../../../base/units.ts';
import type { ConnectionId } from '../core/domain.ts';
import type { Packet } from '../core/wire.ts';
import { ByteReader, ByteWriter } from '../migration/bytes.ts';
import { decodeImage } from '../migration/decode.ts';
import { encodeImage } from '../migration/encode.ts';
import type { Image } from '../migration/image.ts';
import { type Entry, readEntry, writeEntry, writeRequest } from './journal-entries.ts';
import { filesIn, type JournalStorage, type StoredFile } from './journal-storage.ts';

/**
 * What a xenstored is after it was killed: a snapshot, `snapshot.N`, and what has happened since, in
 * `journal.N` and perhaps later ones. The store is deterministic: told the same again, it is the same.
 *
 * A journal begins with the line of `head`. Then come batches of entries. A batch is there before anything that came of it leaves the process; one that is
 * cut short was never acknowledged, and is dropped. Any other damage is refused.
 */

/** A new snapshot is made when the journal has grown by this much: reading it takes about a second. */
const snapshotAfter: Bytes = bytes(8 * 2 ** 20);

/** A batch is written when it is this long, even if nothing has to leave. */
const batchMax: Bytes = bytes(2 ** 18);

/** Its length, the same with every bit inverted, and the CRC-32 of the rest, a word each. */
const batchHeader = 12;

/** The first line: what the file is, and of which boot of the host. */
function head(): Buffer {
  return Buffer.from(`flotilla xenstored journal 1 ${bootOf()}\n`);
}

function bootOf(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

/** What an earlier process has left. */
export interface Past {
  readonly image: Image | null;
  /** Whether there is anything. */
  readonly any: boolean;
  /** What has happened since, one after another; null at its end, which is for good. */
  next(): Result<Entry | null, string>;
}

/** See the head of this file. */
export class Journal {
  /** What there was when it was opened. */
  readonly past: Past;
  readonly #storage: JournalStorage;
  readonly #batch = new ByteWriter();
  #number: number;
  #file: StoredFile;
  #size = 0;
  /** Something that lasts was written and is not kept yet. */
  #owes = false;
  #snapshot = 0;
  /** A snapshot that is being written. */
  #writing: AbortController | null = null;

  private constructor(storage: JournalStorage, number: number, past: Past) {
    this.#storage = storage;
    this.#number = number;
    this.past = past;
    this.#file = storage.create(`journal.${number}`);
    this.#file.append(head());
    this.#begin();
  }

  /** Opens the journal of a directory. The failure is a sentence with what to do. */
  static open(place: string | JournalStorage): Result<Journal, string> {
    const storage = typeof place === 'string' ? filesIn(place) : place;
    const read = readPast(storage);
    if (!read.ok) return fail(sentence(read.error));
    return ok(new Journal(storage, read.value.next, read.value.past));
  }

  /** The file of the newest snapshot that is whole. */
  get newest(): string {
    return join(this.#storage.place, `snapshot.${this.#snapshot}`);
  }

  /** Whether so much was kept that a new snapshot is due. */
  get due(): boolean {
    return this.#size > snapshotAfter && this.#writing === null;
  }

  /**
   * Keeps an entry, from the next `commit` on. Where it is not `lasting`, nobody would miss it after a
   * kill, and it is not worth a commit of its own: it only has to come before what does last.
   */
  write(entry: Entry, lasting = true): void {
    writeEntry(this.#batch, entry);
    this.#owes ||= lasting;
    if (this.#batch.length > batchMax) this.commit();
  }

  /** As `write`. */
  writeRequest(connection: ConnectionId, packet: Packet, lasting = true): void {
    writeRequest(this.#batch, connection, packet);
    this.#owes ||= lasting;
    if (this.#batch.length > batchMax) this.commit();
  }

  /** When it returns, everything is kept that lasts, and what came before that. */
  commitLasting(): void {
    if (this.#owes) this.commit();
  }

  /** When it returns, everything that was written is kept. */
  commit(): void {
    const { length } = this.#batch;
    if (length === batchHeader) return;
    const batch = this.#batch.view();
    this.#batch.patch(0, length - batchHeader);
    this.#batch.patch(4, ~(length - batchHeader) >>> 0);
    this.#batch.patch(8, crc32(batch.subarray(batchHeader)));
    this.#file.append(batch);
    this.#size += length;
    this.#begin();
  }

  /**
   * Begins anew with an image of now. Others have their turns while it is written; until it is whole,
   * the one before it counts, with all that was kept since. Resolves when it is whole, or given up.
   */
  async snapshot(image: Image): Promise<Result<void, string>> {
    const writing = new AbortController();
    try {
      const number = this.#turnOver();
      this.#writing = writing;
      await this.#write(number, image, writing.signal);
      return ok(undefined);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return fail(`a snapshot of the state cannot be written, and the journal grows on: ${why}`);
    } finally {
      if (this.#writing === writing) this.#writing = null;
    }
  }

  async #write(number: number, image: Image, signal: AbortSignal): Promise<void> {
    const file = this.#storage.create(`snapshot.${number}.new`);
    try {
      for (const piece of encodeImage(image)) {
        file.append(piece);
        await new Promise(setImmediate);
        if (signal.aborted) return;
      }
    } finally {
      file.close();
    }
    this.#replace(number);
  }

  /** Begins anew with an image of now, which is whole when this returns. */
  snapshotAtOnce(image: Image): void {
    const number = this.#turnOver();
    const file = this.#storage.create(`snapshot.${number}.new`);
    for (const piece of encodeImage(image)) file.append(piece);
    file.close();
    this.#replace(number);
  }

  close(): void {
    this.#writing?.abort();
    this.#writing = null;
    this.commit();
    this.#file.close();
  }

  #begin(): void {
    this.#owes = false;
    this.#batch.clear();
    this.#batch.u32(0);
    this.#batch.u32(0);
    this.#batch.u32(0);
  }

  #turnOver(): number {
    const number = this.#number + 1;
    const file = this.#storage.create(`journal.${number}`);
    file.append(head());
    this.close();
    this.#number = number;
    this.#file = file;
    this.#size = 0;
    return number;
  }

  /** The snapshot of this number is whole: what was before is of no use any more. */
  #replace(number: number): void {
    this.#storage.rename(`snapshot.${number}.new`, `snapshot.${number}`);
    this.#snapshot = number;
    for (const name of this.#storage.list()) {
      const parts = /^(?:snapshot|journal)\.(\d+)(?:\.new)?$/.exec(name);
      if (parts !== null && Number(parts[1]) < number) this.#storage.remove(name);
    }
  }
}

function sentence(what: string): string {
  return `${what}; what to do: if nothing of this host is to be kept, remove it and start again; otherwise reboot the host`;
}

interface Found {
  readonly past: Past;
  /** The number of the next journal. */
  readonly next: number;
}

function readPast(storage: JournalStorage): Result<Found, string> {
  const numbers = (kind: string) =>
    storage
      .list()
      .flatMap((name) => new RegExp(`^${kind}\\.(\\d+)$`).exec(name)?.[1] ?? [])
      .map(Number)
      .sort((one, other) => one - other);
  const journals = numbers('journal');
  const snapshot = numbers('snapshot').at(-1);
  const next = 1 + Math.max(0, snapshot ?? 0, ...journals);
  const ofBoot = journals.filter((number) => isOfThisBoot(storage, number));
  // Domains do not survive a boot, and neither does what is said of them.
  if (ofBoot.length < journals.length) {
    for (const number of journals) storage.remove(`journal.${number}`);
    if (snapshot !== undefined) storage.remove(`snapshot.${snapshot}`);
    return ok({ past: pastOf(null, [], storage), next });
  }
  if (snapshot === undefined) return ok({ past: pastOf(null, journals, storage), next });
  const image = decodeImage(storage.read(`snapshot.${snapshot}`));
  if (!image.ok) return fail(`${storage.place}/snapshot.${snapshot} is damaged: ${image.error}`);
  const since = journals.filter((number) => number >= snapshot);
  return ok({ past: pastOf(image.value, since, storage), next });
}

/** One that is shorter than its head was begun by a process that was killed at once. */
function isOfThisBoot(storage: JournalStorage, number: number): boolean {
  const content = storage.read(`journal.${number}`);
  const whole = head();
  return content.subarray(0, whole.length).equals(whole.subarray(0, content.length));
}

function pastOf(image: Image | null, journals: readonly number[], storage: JournalStorage): Past {
  const rest = [...journals];
  let batches: Iterator<Result<ByteReader, string>> | null = null;
  let reader: ByteReader | null = null;
  const next = (): Result<Entry | null, string> => {
    for (;;) {
      if (reader !== null && reader.left > 0) {
        const entry = readEntry(reader);
        return entry === null ? fail(sentence('an entry of the journal is not known')) : ok(entry);
      }
      if (batches === null) {
        const number = rest.shift();
        if (number === undefined) return ok(null);
        batches = batchesOf(storage, number);
      }
      const batch = batches.next();
      if (batch.done === true) batches = null;
      else if (!batch.value.ok) return batch.value;
      else reader = batch.value.value;
    }
  };
  return { image, any: image !== null || journals.length > 0, next };
}

function* batchesOf(
  storage: JournalStorage,
  number: number,
): Generator<Result<ByteReader, string>> {
  const content = storage.read(`journal.${number}`);
  for (let at = head().length; content.length - at >= batchHeader; ) {
    const length = content.readUInt32LE(at);
    const end = at + batchHeader + length;
    const whole = content.readUInt32LE(at + 4) === ~length >>> 0;
    // It was cut short when its process was killed: nobody has seen anything of it.
    if (whole && end > content.length) return;
    const body = content.subarray(at + batchHeader, end);
    if (!whole || crc32(body) !== content.readUInt32LE(at + 8)) {
      yield fail(sentence(`${storage.place}/journal.${number} is damaged at byte ${at}`));
      return;
    }
    yield ok(new ByteReader(body));
    at = end;
  }
}
