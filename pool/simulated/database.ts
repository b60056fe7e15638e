import { assert } from '../../base/assert.ts';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { ListRequest, PoolDatabase, Revision, WatchBatch, WatchRequest } from '../database.ts';
import {
  databaseUnavailable,
  leaseNotFound,
  revisionCompacted,
  revisionInFuture,
  tooLarge,
  watchTooSlow,
} from '../database-failures.ts';
import type { Failure } from '../failure.ts';
import { type Queue, queue } from '../queue.ts';
import { Store, type StoreChange } from './store.ts';

/** etcd's `--max-txn-ops`: comparisons, and writes, of one transaction. */
const transactionOperations = 128;

/** What goes wrong with one call. */
export type SimulatedFault =
  | 'none'
  /** It fails, and had no effect. */
  | 'refused'
  /** It fails though it had its effect: the answer was lost. */
  | 'unanswered';

/** The calls that a fault may be asked for. */
export type SimulatedCall = 'get' | 'list' | 'transact' | 'lease';

/** How a simulated database behaves; everything may be left out. */
export interface SimulatedSettings {
  readonly clock?: Clock;
  /** Asked before each call. */
  readonly fault?: (call: SimulatedCall) => SimulatedFault;
}

/** A pool database in memory, for unit tests and simulation. */
export interface SimulatedDatabase extends PoolDatabase {
  /** Forgets history before a revision, as `etcdctl compact` does. */
  compact(revision: Revision): void;
  readonly revision: Revision;
}

interface Watcher {
  readonly prefixes: readonly string[];
  readonly queue: Queue<WatchBatch>;
}

/** Makes an empty one. */
export function simulatedDatabase(settings: SimulatedSettings = {}): SimulatedDatabase {
  const clock = settings.clock ?? systemClock;
  const store = new Store();
  const watchers = new Set<Watcher>();
  const closing = new AbortController();
  let rearm = new AbortController();

  const publish = (change: StoreChange | null) => {
    if (change !== null) for (const watcher of watchers) offer(watcher, change);
  };
  const call = async <Value>(
    name: SimulatedCall,
    act: () => Result<Value, Failure>,
  ): Promise<Result<Value, Failure>> => {
    await null;
    if (closing.signal.aborted) return fail(databaseUnavailable('it was closed'));
    const fault = settings.fault?.(name) ?? 'none';
    if (fault === 'refused') return fail(databaseUnavailable('it refused the call'));
    const result = act();
    return fault === 'unanswered' ? fail(databaseUnavailable('the answer was lost')) : result;
  };
  const endLeases = async () => {
    while (!closing.signal.aborted) {
      const next = store.nextToEnd();
      if (next === null) return;
      const left = next.endsAt - clock.now();
      if (left <= 0) publish(store.revoke(next.id));
      else await clock.sleep(milliseconds(left), rearm.signal);
      if (rearm.signal.aborted) return;
    }
  };
  const armLeases = () => {
    rearm.abort();
    rearm = new AbortController();
    void endLeases();
  };

  return {
    get: (key) => call('get', () => ok(store.get(key))),
    list: (request) => call('list', () => listed(store, request)),
    transact: (transaction) =>
      call('transact', () => {
        const keys = new Set(transaction.writes.map((write) => write.key));
        assert(keys.size === transaction.writes.length, 'a transaction writes a key once');
        const size = Math.max(transaction.comparisons.length, transaction.writes.length);
        if (size > transactionOperations) return fail(tooLarge(`${size} operations`));
        for (const write of transaction.writes)
          if (write.kind === 'put' && write.lease !== null && !store.hasLease(write.lease))
            return fail(leaseNotFound);
        const { committed, revision, change } = store.transact(transaction);
        publish(change);
        return ok({ committed, revision });
      }),
    watch: (request) => watched(store, watchers, request),
    grantLease: (ttl) =>
      call('lease', () => {
        const id = store.grant(ttl, clock.now());
        armLeases();
        return ok({ id, ttl });
      }),
    renewLease: (id) =>
      call('lease', () => {
        const ttl = store.renew(id, clock.now());
        return ttl === null ? fail(leaseNotFound) : ok({ id, ttl });
      }),
    revokeLease: (id) =>
      call('lease', () => {
        publish(store.revoke(id));
        return ok(undefined);
      }),
    members: () =>
      call('get', () =>
        ok([{ name: 'simulated', clientAddress: 'memory', leader: true, healthy: true }]),
      ),
    close: () => {
      closing.abort();
      rearm.abort();
      for (const watcher of watchers) watcher.queue.end();
    },
    compact: (revision) => store.compact(revision),
    get revision() {
      return store.revision;
    },
  };
}

function listed(store: Store, request: ListRequest) {
  const revision = request.revision ?? store.revision;
  if (revision < store.compacted) return fail(revisionCompacted(revision));
  if (revision > store.revision) return fail(revisionInFuture(revision));
  const after = request.after ?? '';
  const limit = request.limit ?? bounds.pageSizeMax;
  const found = store.entriesAt(request.prefix, revision).filter((entry) => entry.key > after);
  return ok({ entries: found.slice(0, limit), more: found.length > limit, revision });
}

function watched(
  store: Store,
  watchers: Set<Watcher>,
  { prefixes, after, signal }: WatchRequest,
): AsyncIterable<WatchBatch> {
  const batches = queue<WatchBatch>(bounds.watchBacklog);
  const watcher = { prefixes, queue: batches };
  if (after < store.compacted) {
    batches.end({ kind: 'failed', failure: revisionCompacted(after) });
    return batches;
  }
  for (const change of store.changesAfter(after)) offer(watcher, change);
  watchers.add(watcher);
  const stop = () => {
    watchers.delete(watcher);
    batches.end();
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return batches;
}

function offer(watcher: Watcher, { revision, changes }: StoreChange): void {
  const wanted = changes.filter((change) => {
    const key = change.kind === 'put' ? change.entry.key : change.key;
    return watcher.prefixes.some((prefix) => key.startsWith(prefix));
  });
  if (wanted.length === 0) return;
  const batch = { kind: 'changes', revision, changes: wanted } as const;
  if (!watcher.queue.push(batch, wanted.length))
    watcher.queue.end({ kind: 'failed', failure: watchTooSlow(bounds.watchBacklog) });
}
