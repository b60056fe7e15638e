import { assert } from '../../base/assert.ts';
import type { Revision, Version } from './version.ts';

/** Versions of one segment: what is freed at once when the front of the log is trimmed. */
const segmentLength = 4096;

/**
 * Every retained change in the order in which it happened: by revision, then by position within
 * it. It grows at the back and is trimmed from the front, both in O(1).
 */
export class ChangeLog {
  #segments: Version[][] = [];
  /** Position in the log of the first slot of the first segment. */
  #origin = 0;
  #first = 0;
  #end = 0;

  /** The position of the oldest retained change; `end` where there is none. */
  get first(): number {
    return this.#first;
  }

  /** The position that the next change will have. */
  get end(): number {
    return this.#end;
  }

  append(version: Version): void {
    const last = this.#segments.at(-1);
    if (last === undefined || last.length === segmentLength) this.#segments.push([version]);
    else last.push(version);
    this.#end += 1;
  }

  /** The change at a position from `first` to before `end`. */
  at(position: number): Version {
    const offset = position - this.#origin;
    const version = this.#segments[Math.floor(offset / segmentLength)]?.[offset % segmentLength];
    assert(version !== undefined && position >= this.#first, 'a position within the log');
    return version;
  }

  /** Forgets the oldest change. */
  dropFirst(): void {
    assert(this.#first < this.#end, 'a log that is not empty');
    this.#first += 1;
    if (this.#first - this.#origin < segmentLength) return;
    this.#segments.shift();
    this.#origin += segmentLength;
  }

  /** The position of the first retained change at `revision` or later. */
  firstAtOrAfter(revision: Revision): number {
    let low = this.#first;
    let high = this.#end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.at(middle).modRevision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
