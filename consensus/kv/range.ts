import { unreachable } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { StoreFailure } from './failure.ts';
import type { History } from './history.ts';
import { isEmptyRange } from './key-range.ts';
import type { RangeReply } from './reply.ts';
import type { RangeRequest, SortTarget } from './request.ts';
import type { Revision, Version } from './version.ts';

/** Whether the store can be read as it was at `revision`; 0 is now, and can always be read. */
export function checkRevision(
  history: History,
  revision: Revision,
): Extract<StoreFailure, 'compacted' | 'future-revision'> | null {
  if (revision > history.revision) return 'future-revision';
  return revision > 0 && revision < history.compacted ? 'compacted' : null;
}

/** Reads a range, or says why the revision cannot be read. */
export function readRange(
  history: History,
  request: RangeRequest,
): Result<RangeReply, StoreFailure> {
  const refusal = checkRevision(history, request.revision);
  return refusal === null ? ok(rangeReply(history, history.revision, request)) : fail(refusal);
}

/**
 * Reads a range at a revision that can be read. `newest` is the revision that stands for "now":
 * within a transaction that wrote already, the one that it is about to make.
 */
export function rangeReply(history: History, newest: Revision, request: RangeRequest): RangeReply {
  const reply = { kind: 'range', revision: newest, keysOnly: request.keysOnly } as const;
  if (isEmptyRange(request.range)) return { ...reply, versions: [], more: false, count: 0 };
  const isNow = request.revision === 0 || request.revision === newest;
  const revision = isNow ? newest : request.revision;
  if (request.countOnly) {
    const count = isNow
      ? history.count(request.range)
      : collect(history, request, revision, 0).count;
    return { ...reply, versions: [], more: false, count };
  }
  const reorders = request.descending || request.sortTarget !== 'key';
  const limit = request.limit > 0 ? request.limit : Number.POSITIVE_INFINITY;
  const stopAfter = isNow && !reorders ? limit : Number.POSITIVE_INFINITY;
  const keep = reorders ? Number.POSITIVE_INFINITY : limit;
  const found = collect(history, request, revision, keep, stopAfter);
  if (reorders) sortVersions(found.versions, request.sortTarget, request.descending);
  const more = found.matched > limit;
  if (found.versions.length > limit) found.versions.length = limit;
  const count = found.stopped ? history.count(request.range) : found.count;
  return { ...reply, versions: found.versions, more, count };
}

interface Collected {
  readonly versions: Version[];
  /** Keys seen that exist, and those of them that pass the filters. */
  readonly count: number;
  readonly matched: number;
  readonly stopped: boolean;
}

/** Keeps the first `keep` matches; stops when there is one match more than `stopAfter`. */
function collect(
  history: History,
  request: RangeRequest,
  revision: Revision,
  keep: number,
  stopAfter = Number.POSITIVE_INFINITY,
): Collected {
  const versions: Version[] = [];
  let count = 0;
  let matched = 0;
  history.scan(request.range, revision, (version) => {
    count += 1;
    if (!passesFilters(request, version)) return true;
    matched += 1;
    if (matched <= keep) versions.push(version);
    return matched <= stopAfter;
  });
  return { versions, count, matched, stopped: matched > stopAfter };
}

function passesFilters(request: RangeRequest, version: Version): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (
    (minModRevision === 0 || version.modRevision >= minModRevision) &&
    (maxModRevision === 0 || version.modRevision <= maxModRevision) &&
    (minCreateRevision === 0 || version.createRevision >= minCreateRevision) &&
    (maxCreateRevision === 0 || version.createRevision <= maxCreateRevision)
  );
}

/** The versions come in the order of their keys; equal ones stay in it, either way. */
function sortVersions(versions: Version[], target: SortTarget, descending: boolean): void {
  if (target === 'key') {
    if (descending) versions.reverse();
    return;
  }
  const by = sortField(target);
  const sign = descending ? -1 : 1;
  versions.sort((a, b) => {
    const [left, right] = [by(a), by(b)];
    return left < right ? -sign : left > right ? sign : 0;
  });
}

function sortField(target: Exclude<SortTarget, 'key'>): (version: Version) => number | string {
  switch (target) {
    case 'version':
      return (version) => version.version;
    case 'create':
      return (version) => version.createRevision;
    case 'mod':
      return (version) => version.modRevision;
    case 'value':
      return (version) => version.value;
    default:
      return unreachable(target);
  }
}
