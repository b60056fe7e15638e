import { once } from 'node:events';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import type { Input } from '../../../proto/codec.ts';
import type { SnapshotRequest, SnapshotResponse } from '../../../proto/gen/etcdserverpb.ts';
import { snapshotFile } from '../snapshot-file.ts';
import { failures } from './failures.ts';
import type { EtcdMember } from './member.ts';
import { nextTurn } from './turns.ts';

/** Streams at a time: each keeps what is compacted meanwhile from being freed. */
const streamsMax = 2;

/** For how long one may: then the client is too slow, and has to come again. */
const streamTimeMax = 1_800_000;

/**
 * etcd's clients know a whole file by its size: 32 bytes, a SHA-256, more than a multiple of this
 * (`hasChecksum` of its clientv3/snapshot).
 */
const sectorBytes = 512;
const digestBytes = 32;

/** The call that downloads a snapshot. */
export type SnapshotCall = ServerWritableStream<SnapshotRequest, Input<SnapshotResponse>>;

/**
 * Streams the member's store as it is when the call comes: the file of `snapshot-file.ts`, which
 * `flotilla consensus restore` reads. The bytes are made twice, first to know how many there are,
 * and both times in turns. No leader is asked: what is left of a pool must be saved without one.
 */
export class SnapshotStreams {
  readonly #member: EtcdMember;
  #open = 0;

  constructor(member: EtcdMember) {
    this.#member = member;
  }

  readonly serve = async (call: SnapshotCall): Promise<void> => {
    if (this.#open >= streamsMax) {
      call.emit('error', { code: failures.tooMany.code, details: failures.tooMany.message });
      return;
    }
    this.#open += 1;
    const failure = await this.#send(call);
    this.#open -= 1;
    if (failure === null) call.end();
    else call.emit('error', { code: status.DEADLINE_EXCEEDED, details: failure });
  };

  /** Returns why the stream ended before its time; null where it did not, or nobody listens. */
  async #send(call: SnapshotCall): Promise<string | null> {
    const { store } = this.#member;
    const description = this.#member.describeSnapshot();
    // Both show the same store, for nothing is applied between the two calls.
    const [counted, sent] = [store.snapshot(), store.snapshot()];
    const ended = new AbortController();
    call.once('cancelled', () => ended.abort());
    call.on('error', () => ended.abort());
    const tooLate = 'etcdserver: the snapshot was not read in time';
    const timer = setTimeout(() => ended.abort(tooLate), streamTimeMax);
    try {
      let size = 0;
      const unpadded = { ...description, padding: '' };
      for (const bytes of snapshotFile(unpadded, counted)) {
        if (ended.signal.aborted) break;
        size += bytes.length;
        await nextTurn();
      }
      const beyond = (size - digestBytes) % sectorBytes;
      const padded = { ...description, padding: ' '.repeat((sectorBytes - beyond) % sectorBytes) };
      let remaining = size + padded.padding.length;
      for (const blob of snapshotFile(padded, sent)) {
        if (ended.signal.aborted) break;
        remaining -= blob.length;
        const more = call.write({ remainingBytes: BigInt(remaining), blob });
        if (!more) await once(call, 'drain', { signal: ended.signal }).catch(() => {});
        await nextTurn();
      }
    } finally {
      clearTimeout(timer);
      for (const chunks of [counted, sent]) chunks[Symbol.iterator]().return?.();
    }
    return ended.signal.reason === tooLate ? tooLate : null;
  }
}
