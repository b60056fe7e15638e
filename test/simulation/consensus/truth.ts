import { present } from '../../../base/assert.ts';
import type { ByteString } from '../../../consensus/kv/byte-string.ts';
import { decodeCommand } from '../../../consensus/kv/command-codec.ts';
import type { DataCommand } from '../../../consensus/kv/request.ts';
import { type Event, NaiveStore } from '../../model/naive-store.ts';
import { Violation } from './violation.ts';

/**
 * What the committed log makes of the store, by the naive store: every key at every revision, and
 * every change in its order. Whoever applies an entry first tells it.
 */
export class Truth {
  readonly #naive = new NaiveStore();
  readonly #revisions = new Map<number, number>([[0, 1]]);
  readonly #byKey = new Map<ByteString, Event[]>();
  #index = 0;
  #filed = 0;

  /** All changes of all keys, by revision. */
  get events(): readonly Event[] {
    return this.#naive.events();
  }

  get revision(): number {
    return this.#naive.revision;
  }

  /** The highest revision that was ever compacted. */
  get compacted(): number {
    return this.#naive.compacted;
  }

  /** The command at `index` is committed. */
  commit(index: number, encoded: Uint8Array): void {
    if (index <= this.#index) return;
    const command = decodeCommand(encoded);
    if (!command.ok || !isOfData(command.value))
      throw new Violation(`entry ${index} is none that a client has proposed`);
    this.#naive.apply(command.value);
    this.#index = index;
    this.#revisions.set(index, this.#naive.revision);
    for (const event of this.events.slice(this.#filed)) {
      const known = this.#byKey.get(event.key);
      if (known === undefined) this.#byKey.set(event.key, [event]);
      else known.push(event);
    }
    this.#filed = this.events.length;
  }

  /** The store's revision after the command at `index`. */
  revisionAt(index: number): number {
    return present(this.#revisions.get(index), 'the index is one of a command');
  }

  /** The key as it was at a revision; null where it did not exist. */
  at(key: ByteString, revision: number): Event | null {
    const event = this.#byKey.get(key)?.findLast(({ mod }) => mod <= revision);
    return event === undefined || event.version === 0 ? null : event;
  }

  /** All keys that exist at a revision, in their order. */
  allAt(revision: number): readonly Event[] {
    const keys = [...this.#byKey.keys()].sort();
    return keys.flatMap((key) => this.at(key, revision) ?? []);
  }
}

function isOfData(command: { readonly kind: string }): command is DataCommand {
  return command.kind !== 'auth' && command.kind !== 'asked';
}
