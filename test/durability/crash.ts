import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { present } from '../../base/assert.ts';
import type { Random } from '../../base/random.ts';
import type { Change, Step } from './recorder.ts';

/** A disk writes this much at once, or not at all. */
const sectorBytes = 512;

/** What a loss of power leaves of what was not durable yet. */
export type Fate =
  /** All of it, what was under way included: only the process has died. */
  | 'all'
  /** Nothing. */
  | 'nothing'
  /** Any sectors of any writes, and any changes of names. */
  | 'some';

interface Written {
  readonly at: number;
  readonly data: Buffer;
  isDurable: boolean;
}

interface Inode {
  readonly isDirectory: boolean;
  readonly writes: Written[];
  /** Where the next write goes that names no place. */
  end: number;
}

/** A change of names: what each path stands for from then on, null for nothing. */
interface Naming {
  readonly names: readonly (readonly [string, Inode | null])[];
  isDurable: boolean;
}

/**
 * The files as they are on a disk whose machine loses its power after some steps. A write is
 * durable when it has returned from a synchronous handle, or a sync of its file has; a name, of a
 * directory too, when a sync of the directory that it is in has.
 */
export class CrashedDisk {
  readonly #names = new Map<string, Inode>();
  readonly #namings: Naming[] = [];
  readonly #handles = new Map<number, { readonly path: string; readonly inode: Inode | null }>();
  readonly #underWay = new Map<
    number,
    { readonly change: Change; readonly effect: Written | null }
  >();
  /** How much had been acknowledged. */
  acknowledged = 0;

  /** `before`: what was durable when the steps began. */
  constructor(steps: readonly Step[], before: ReadonlyMap<string, Buffer> = new Map()) {
    for (const [path, data] of before) this.#hold(path, data);
    for (const step of steps) {
      if (step.kind === 'note') this.acknowledged = step.acknowledged;
      else if (step.kind === 'begin')
        this.#underWay.set(step.call, { change: step.change, effect: this.#begin(step.change) });
      else this.#end(step.call);
    }
  }

  #hold(path: string, data: Buffer): void {
    for (const parent of ancestors(path))
      if (!this.#names.has(parent)) this.#name([parent, directory()]);
    const writes = [{ at: 0, data, isDurable: true }];
    this.#name([path, { isDirectory: false, writes, end: data.length }]);
    for (const naming of this.#namings) naming.isDurable = true;
  }

  /** Writes what is left into a directory. */
  writeTo(target: string, fate: Fate, random: Random): void {
    const names = new Map<string, Inode>();
    for (const naming of this.#namings) {
      if (!naming.isDurable && !survives(fate, random)) continue;
      for (const [path, inode] of naming.names) {
        if (inode === null) names.delete(path);
        else names.set(path, inode);
      }
    }
    mkdirSync(target, { recursive: true });
    // What is in a directory that is not there is lost with it.
    for (const [path, inode] of names) {
      if (!ancestors(path).every((each) => names.get(each)?.isDirectory === true)) continue;
      mkdirSync(dirname(join(target, path)), { recursive: true });
      if (inode.isDirectory) mkdirSync(join(target, path), { recursive: true });
      else writeFileSync(join(target, path), contentOf(inode, fate, random));
    }
  }

  /** A change is in the cache of the file system as soon as it is asked for. */
  #begin(change: Change): Written | null {
    switch (change.kind) {
      case 'sync':
        return null;
      case 'make-directory':
        for (const path of [...ancestors(change.path), change.path])
          if (!this.#names.has(path)) this.#name([path, directory()]);
        return null;
      case 'open':
        this.#open(change);
        return null;
      case 'write': {
        const { inode } = present(this.#handles.get(change.file), 'a handle was opened');
        if (inode === null) return null;
        const written = { at: change.at ?? inode.end, data: change.data, isDurable: false };
        inode.end = written.at + written.data.length;
        inode.writes.push(written);
        return written;
      }
      case 'rename': {
        const inode = present(this.#names.get(change.from), 'what is renamed is there');
        this.#name([change.to, inode], [change.from, null]);
        return null;
      }
      case 'remove':
        if (this.#names.has(change.path)) this.#name([change.path, null]);
        return null;
    }
  }

  #open({ path, file, makes, truncates }: Change & { readonly kind: 'open' }): void {
    let inode = this.#names.get(path) ?? null;
    // A file that is truncated is as good as another one: what was in it may be there or not.
    if (makes && (inode === null || truncates)) {
      inode = { isDirectory: false, writes: [], end: 0 };
      this.#name([path, inode]);
    }
    this.#handles.set(file, { path, inode });
  }

  #end(call: number): void {
    const { change, effect } = present(this.#underWay.get(call), 'what ends has begun');
    this.#underWay.delete(call);
    if (change.kind === 'write' && change.isSynchronous && effect !== null) effect.isDurable = true;
    if (change.kind !== 'sync') return;
    const { path, inode } = present(this.#handles.get(change.file), 'a handle was opened');
    if (inode?.isDirectory === false) for (const written of inode.writes) written.isDurable = true;
    else
      for (const naming of this.#namings)
        if (naming.names.some(([name]) => dirname(name) === (path === '' ? '.' : path)))
          naming.isDurable = true;
  }

  #name(...names: readonly (readonly [string, Inode | null])[]): void {
    for (const [path, inode] of names) {
      if (inode === null) this.#names.delete(path);
      else this.#names.set(path, inode);
    }
    this.#namings.push({ names, isDurable: false });
  }
}

function directory(): Inode {
  return { isDirectory: true, writes: [], end: 0 };
}

/** The directories that a path is in, outermost first. */
function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [...ancestors(parent), parent];
}

function survives(fate: Fate, random: Random): boolean {
  return fate === 'all' || (fate === 'some' && random.chance(0.5));
}

function contentOf({ writes }: Inode, fate: Fate, random: Random): Buffer {
  const size = Math.max(0, ...writes.map(({ at, data }) => at + data.length));
  const content = Buffer.alloc(size);
  let length = 0;
  for (const { at, data, isDurable } of writes) {
    for (let start = 0; start < data.length; ) {
      const end = Math.min(data.length, start + sectorBytes - ((at + start) % sectorBytes));
      if (isDurable || survives(fate, random)) {
        data.copy(content, at + start, start, end);
        length = Math.max(length, at + end);
      }
      start = end;
    }
  }
  return content.subarray(0, length);
}
