import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Input } from '../../../proto/codec.ts';
import type {
  WatchCreateRequest,
  WatchRequest,
  WatchResponse,
} from '../../../proto/gen/etcdserverpb.ts';
import { byteString } from '../../kv/byte-string.ts';
import { isEmptyRange, type KeyRange, keyRange } from '../../kv/key-range.ts';
import type { Revision, Version } from '../../kv/version.ts';
import type { Watcher } from '../../kv/watch-hub.ts';
import { type GrpcFailure, storeFailure } from './failures.ts';
import type { EtcdMember } from './member.ts';
import { revision } from './requests.ts';
import { watchResponse } from './responses.ts';
import { fragments, watchBounds } from './watch-bounds.ts';

/** The call that carries the watches of one client. */
export type WatchCall = ServerDuplexStream<WatchRequest, Input<WatchResponse> | Buffer>;

interface OpenWatch {
  readonly id: bigint;
  readonly watcher: Watcher;
  readonly range: KeyRange;
  readonly withPrevious: boolean;
  readonly mayFragment: boolean;
  readonly notifiesProgress: boolean;
  /** Nothing was sent since progress was last told of. */
  quiet: boolean;
  /** The revision of the rights by which it may show what it shows. */
  rights: number;
}

/** etcd's words for a watch that cannot be created. */
const refusals = {
  emptyRange: 'mvcc: watcher range is empty',
  duplicateId: 'mvcc: duplicate watch ID provided on the WatchStream',
  tooMany: 'etcdserver: too many watches on this stream or member',
} as const;

/** The watch id of a response that is about no watch in particular. */
const noWatch = -1n;

/**
 * The watches of one stream. What is ready is written in turns, a batch of each watch at a time.
 * While the client does not read, nothing is taken for it and nothing it asks is read: a slow
 * client costs some messages in the stream's buffer, and its watches read the history later.
 */
export class WatchStream {
  readonly #call: WatchCall;
  readonly #member: EtcdMember;
  readonly #mayOpen: () => boolean;
  readonly #watches = new Map<bigint, OpenWatch>();
  readonly #ready = new Set<OpenWatch>();
  #nextId = 0n;
  #scheduled = false;
  #blocked = false;
  #ended = false;
  #progressWanted = false;

  /** `mayOpen` says whether the member has room for one more watch. */
  constructor(call: WatchCall, member: EtcdMember, mayOpen: () => boolean) {
    this.#call = call;
    this.#member = member;
    this.#mayOpen = mayOpen;
  }

  /** Does what the client asks for. */
  receive(request: WatchRequest): void {
    if (this.#ended) return;
    if (request.createRequest !== undefined) this.#create(request.createRequest);
    else if (request.cancelRequest !== undefined) this.#cancel(request.cancelRequest.watchId);
    else if (request.progressRequest !== undefined) {
      this.#progressWanted = true;
      this.#schedule();
    }
  }

  /** Says of each watch that asked for it how far it is, unless it had something to show lately. */
  notifyProgress(): void {
    for (const watch of this.#watches.values()) {
      if (watch.notifiesProgress && watch.quiet && !this.#ready.has(watch) && !this.#blocked)
        this.#write({ header: this.#member.headerNow(), watchId: watch.id });
      watch.quiet = true;
    }
  }

  /** Ends the stream and its watches. Without a failure it ends as the client wished. */
  finish(failure: GrpcFailure | null): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { watcher } of this.#watches.values()) this.#member.store.watches.close(watcher);
    this.#watches.clear();
    this.#ready.clear();
    if (failure === null) this.#call.end();
    else this.#call.emit('error', { code: failure.code, details: failure.message });
  }

  #create(request: WatchCreateRequest): void {
    const key = request.key.length === 0 ? new Uint8Array(1) : request.key;
    const range = keyRange(byteString(key), byteString(request.rangeEnd));
    const id = this.#freeId(request.watchId);
    if (isEmptyRange(range)) this.#refuse(refusals.emptyRange);
    else if (id === null) this.#refuse(refusals.duplicateId);
    else if (!this.#mayOpen() || this.#watches.size >= watchBounds.perStream)
      this.#refuse(refusals.tooMany);
    else {
      const refusal = this.#member.refusal({ kind: 'read', range });
      if (refusal === null) this.#open(request, range, id);
      else this.#refuse(reasonOf(refusal));
    }
  }

  #open(request: WatchCreateRequest, range: KeyRange, id: bigint): void {
    const { store } = this.#member;
    const now = store.revision;
    const start =
      request.startRevision === 0n ? now + 1 : Math.max(1, revision(request.startRevision));
    const watcher = store.watches.open({
      range,
      start: start as Revision,
      puts: !request.filters.includes('NOPUT'),
      deletes: !request.filters.includes('NODELETE'),
      wake: () => {
        this.#ready.add(watch);
        this.#schedule();
      },
    });
    const watch: OpenWatch = {
      id,
      watcher,
      range,
      withPrevious: request.prevKv,
      mayFragment: request.fragment,
      notifiesProgress: request.progressNotify,
      quiet: true,
      rights: store.auth.revision,
    };
    this.#watches.set(id, watch);
    this.#write({ header: this.#member.headerNow(), watchId: id, created: true });
    if (start > now) return;
    this.#ready.add(watch);
    this.#schedule();
  }

  /** The id that the client chose, or the next one; null where it is taken. */
  #freeId(chosen: bigint): bigint | null {
    if (chosen !== 0n) return this.#watches.has(chosen) ? null : chosen;
    while (this.#watches.has(this.#nextId)) this.#nextId += 1n;
    this.#nextId += 1n;
    return this.#nextId - 1n;
  }

  #refuse(cancelReason: string): void {
    const header = this.#member.headerNow();
    this.#write({ header, watchId: noWatch, created: true, canceled: true, cancelReason });
  }

  #cancel(id: bigint): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    this.#close(watch);
    this.#write({ header: this.#member.headerNow(), watchId: id, canceled: true });
  }

  #close(watch: OpenWatch): void {
    this.#member.store.watches.close(watch.watcher);
    this.#watches.delete(watch.id);
    this.#ready.delete(watch);
  }

  #schedule(): void {
    if (this.#scheduled || this.#blocked || this.#ended) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    for (const watch of [...this.#ready]) {
      if (this.#blocked || this.#ended) return;
      this.#show(watch);
    }
    if (this.#ready.size > 0) this.#schedule();
    else if (this.#progressWanted && !this.#blocked) {
      this.#progressWanted = false;
      this.#write({ header: this.#member.headerNow(), watchId: noWatch });
    }
  }

  #show(watch: OpenWatch): void {
    const { store } = this.#member;
    if (watch.rights !== store.auth.revision && !this.#mayGoOn(watch)) return;
    const taken = store.watches.take(watch.watcher, watchBounds.eventsPerResponse);
    if (taken.kind === 'compacted') {
      this.#close(watch);
      this.#write({
        header: this.#member.headerNow(),
        watchId: watch.id,
        canceled: true,
        compactRevision: BigInt(taken.compacted),
        cancelReason: storeFailure('compacted').error.message,
      });
      return;
    }
    if (!taken.more) this.#ready.delete(watch);
    const last = taken.versions.at(-1);
    if (last !== undefined) this.#events(watch, taken.versions, taken.more ? last : null);
  }

  /** Rights have changed: a watch whose client lost the right to read the range ends. */
  #mayGoOn(watch: OpenWatch): boolean {
    const { store } = this.#member;
    const refusal = this.#member.refusal({ kind: 'read', range: watch.range });
    watch.rights = store.auth.revision;
    if (refusal === null) return true;
    this.#close(watch);
    this.#write({
      header: this.#member.headerNow(),
      watchId: watch.id,
      canceled: true,
      cancelReason: reasonOf(refusal),
    });
    return false;
  }

  /** Where more is to come, the header tells the revision of the last change, not the store's. */
  #events(watch: OpenWatch, versions: readonly Version[], moreAfter: Version | null): void {
    const { store } = this.#member;
    const header = this.#member.encodedHeader(moreAfter?.modRevision ?? store.revision);
    const previousSince = watch.withPrevious ? store.compacted : null;
    const parts = watch.mayFragment ? fragments(versions) : [versions];
    watch.quiet = false;
    for (const [position, part] of parts.entries())
      this.#write(
        watchResponse({
          header,
          watchId: watch.id,
          fragment: position < parts.length - 1,
          versions: part,
          previousSince,
        }),
      );
  }

  #write(response: Input<WatchResponse> | Buffer): void {
    if (this.#ended || this.#call.write(response) || this.#blocked) return;
    this.#blocked = true;
    this.#call.pause();
    this.#call.once('drain', () => {
      this.#blocked = false;
      this.#call.resume();
      this.#schedule();
    });
  }
}

/** A failure in the words that Go's gRPC makes of it: etcd's clients look for them. */
function reasonOf({ message }: GrpcFailure): string {
  return `rpc error: code = PermissionDenied desc = ${message}`;
}
