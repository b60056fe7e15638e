import {
  type Bytes,
  bytes,
  formatBytes,
  type Milliseconds,
  milliseconds,
} from '../../base/units.ts';
import type { Timestamp } from '../../proto/gen/google.protobuf.ts';

/** What a table shows where there is nothing to show. */
export const nothing = '-';

/** A size for people, or `-` for none. */
export function size(value: number): string {
  return value > 0 ? formatBytes(bytes(value)) : nothing;
}

/** A part of a whole: `1.5 GiB of 8 GiB`. */
export function part(used: number, whole: number): string {
  return `${formatBytes(bytes(used) as Bytes)} of ${formatBytes(bytes(whole))}`;
}

/** Milliseconds since 1970, or undefined where the field is not set. */
export function momentOf(time: Timestamp | null): Milliseconds | undefined {
  if (time === null) return undefined;
  return milliseconds(Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6));
}

/** How long ago that was: `12s`, `5m`, `3h`, `8d`; `-` where it is not set. A skewed clock shows `0s`. */
export function age(time: Timestamp | null, now: Milliseconds): string {
  const moment = momentOf(time);
  return moment === undefined ? nothing : span(milliseconds(now - moment));
}

/** A span of time in its largest fitting unit. */
export function span(length: Milliseconds): string {
  const seconds = Math.max(0, Math.floor(length / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

/** A span as a stopwatch shows it: `0.4 s`, `12.3 s`, `2 min 5 s`. */
export function stopwatch(length: Milliseconds): string {
  const tenths = Math.max(0, Math.floor(length / 100));
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.floor(tenths / 10);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A moment to the second, in the machine's time zone: `2026-11-23 14:05:01`; `-` where not set. */
export function localTime(time: Timestamp | null): string {
  const moment = momentOf(time);
  return moment === undefined ? nothing : new Date(moment).toLocaleString('sv-SE');
}

/** `1 VM`, `2 VMs`. */
export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

/** The beginning of a UUID: enough to name an operation on a command line. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
