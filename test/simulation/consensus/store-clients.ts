import { assert, present } from '../../../base/assert.ts';
import type { Random } from '../../../base/random.ts';
import { encodeCommand } from '../../../consensus/kv/command-codec.ts';
import type { CommandReply, OperationReply } from '../../../consensus/kv/reply.ts';
import type { Command } from '../../../consensus/kv/request.ts';
import type { Revision } from '../../../consensus/kv/version.ts';
import {
  answered,
  compareAndSwap,
  get,
  type KeyReply,
  type KeyValueInput,
  put,
  remove,
  transaction,
} from '../../linearizability/key-value.ts';
import type { Cast } from './cast.ts';
import type { Database } from './database.ts';
import type { Life } from './member.ts';
import type { Recorder } from './recorder.ts';
import { everyKey, operationOf, putOf, rangeOf, txnOf } from './store-requests.ts';
import type { Truth } from './truth.ts';
import { briefly, Violation } from './violation.ts';
import type { World } from './world.ts';

/** Keys that are written on their own, and keys that are written together. */
const singleKeys = ['a', 'b', 'c'];
const pair = ['x', 'y'] as const;

/** How far behind the newest revision a compaction or a read of the past goes, at most. */
const pastMax = 60;

/** Bytes of a large value. */
const bulk = 50_000;

/** What the clients of one pool share. */
export interface StoreClientParts {
  readonly world: World;
  readonly cast: Cast;
  readonly recorder: Recorder;
  readonly truth: Truth;
}

/** A client of the store that does one thing after another, each at any member. */
export class StoreClient {
  readonly #parts: StoreClientParts;
  readonly #random: Random;
  readonly #name: string;
  /** The revision that each key had when this client last saw it. */
  readonly #seen = new Map<string, number>();
  #values = 0;
  #stopped = false;

  constructor(parts: StoreClientParts, random: Random, name: string) {
    this.#parts = parts;
    this.#random = random;
    this.#name = name;
  }

  /** Goes on until it is stopped. */
  start(): void {
    const { world } = this.#parts;
    const next = (): void => {
      if (this.#stopped) return;
      this.#operate().then(
        () => world.after(1 + this.#random.below(60), next),
        (error) => world.fail(error),
      );
    };
    world.after(this.#random.below(300), next);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #operate(): Promise<void> {
    const random = this.#random;
    const { life } = random.pick(this.#parts.cast.reachable);
    const database = life?.database ?? null;
    if (life === null || database === null) return;
    const key = random.pick(singleKeys);
    switch (random.below(14)) {
      case 0:
      case 1:
      case 2:
        await this.#write(life, put(key, this.#value()));
        break;
      case 3:
      case 4:
      case 5:
        await this.#read(life, database, get(random.pick([...singleKeys, ...pair])));
        break;
      case 6:
        await this.#write(life, remove(key));
        break;
      case 7:
        await this.#write(life, this.#swap(key));
        break;
      case 8:
        await this.#write(life, this.#writePair());
        break;
      case 9:
        await this.#read(life, database, readPair);
        break;
      case 10:
        this.#readHere(database);
        break;
      case 11:
        await this.#readPast(life, database);
        break;
      case 12:
        if (random.chance(0.4)) await this.#compact(life, database);
        break;
      case 13:
        if (random.chance(0.3)) await this.#writeBulk(life);
        break;
    }
  }

  /** No two writes have a value in common. */
  #value(): string {
    this.#values += 1;
    return `${this.#name}.${this.#values}`;
  }

  #swap(key: string): KeyValueInput {
    return compareAndSwap(key, { mod: this.#seen.get(key) ?? 0 }, this.#value());
  }

  #writePair(): KeyValueInput {
    const value = this.#value();
    const [one, other] = pair;
    return transaction(
      [{ key: one, mod: this.#seen.get(one) ?? 0 }],
      [
        { kind: 'put', key: one, value },
        { kind: 'put', key: other, value },
      ],
      [
        { kind: 'get', key: one },
        { kind: 'delete', key: other },
      ],
    );
  }

  async #write(life: Life, input: KeyValueInput): Promise<void> {
    const call = this.#parts.recorder.begin(this.#name, input);
    const [only] = input.success;
    const isPlain = input.compares.length === 0 && input.success.length === 1;
    const plain = isPlain && only !== undefined ? operationOf(only) : null;
    const command: Command = plain === null || plain.kind === 'range' ? txnOf(input) : plain;
    const result = await propose(life, command);
    if (result === 'unknown') return;
    if (result === 'refused') {
      call.refused();
      return;
    }
    const replies = result.kind === 'txn' ? result.replies : [result];
    const output = answered(
      result.revision,
      replies.map(replyOf),
      result.kind !== 'txn' || result.succeeded,
    );
    const branch = output.succeeded ? input.success : input.failure;
    for (const { kind, key } of branch) if (kind === 'put') this.#seen.set(key, result.revision);
    call.ended(output);
  }

  async #read(life: Life, database: Database, input: KeyValueInput): Promise<void> {
    const call = this.#parts.recorder.begin(this.#name, input);
    if (!(await life.canRead())) {
      call.refused();
      return;
    }
    const read = database.store.readTxn(txnOf(input));
    assert(read.ok, 'the present can be read');
    for (const [at, reply] of read.value.replies.entries()) {
      const key = present(input.success[at], 'a reply to each operation').key;
      if (reply.kind === 'range') this.#seen.set(key, reply.versions[0]?.modRevision ?? 0);
    }
    call.ended(answered(read.value.revision, read.value.replies.map(replyOf)));
  }

  /** A serializable read: it may be old, but it is one moment of the one history. */
  #readHere({ store }: Database): void {
    this.#compareWithTruth(store.range(rangeOf(everyKey)), store.revision);
  }

  async #readPast(life: Life, { store }: Database): Promise<void> {
    if (!(await life.canRead())) return;
    const revision = Math.max(1, store.revision - this.#random.below(pastMax));
    this.#compareWithTruth(store.range(rangeOf(everyKey, revision)), revision);
  }

  #compareWithTruth(read: ReturnType<Database['store']['range']>, revision: number): void {
    const { truth } = this.#parts;
    if (!read.ok) {
      const isGone = read.error === 'compacted' && revision < truth.compacted;
      if (isGone) return;
      throw new Violation(`a read at revision ${revision} was refused: ${read.error}`);
    }
    const found = read.value.versions.map(({ key, value }) => `${key}=${value}`).join();
    const wanted = truth
      .allAt(revision)
      .map(({ key, value }) => `${key}=${value}`)
      .join();
    if (found !== wanted)
      throw new Violation(
        `a read at revision ${revision} saw ${briefly(found)}, and should ${briefly(wanted)}`,
      );
    this.#parts.recorder.reads += 1;
  }

  /** Something that makes a snapshot worth several pieces. Only watchers and the truth look at it. */
  async #writeBulk(life: Life): Promise<void> {
    const value = this.#value().padEnd(bulk, '.');
    await propose(life, putOf(`bulk ${this.#random.below(3)}`, value));
  }

  async #compact(life: Life, { store }: Database): Promise<void> {
    const revision = store.revision - this.#random.below(pastMax);
    if (revision > 0) await propose(life, { kind: 'compact', revision: revision as Revision });
  }
}

const readPair = transaction(
  [],
  pair.map((key) => ({ kind: 'get', key })),
);

/** Gets a command applied; what a member that crashes was told may or may not take effect. */
export async function propose(
  life: Life,
  command: Command,
): Promise<CommandReply | 'refused' | 'unknown'> {
  const result = await Promise.race([life.node.propose(encodeCommand(command)), life.gone]);
  if (result === null) return 'unknown';
  if (!result.ok) return result.error.code === 'outcome-unknown' ? 'unknown' : 'refused';
  const reply = present(result.value.reply, 'the store answers');
  return reply.ok ? reply.value : 'refused';
}

function replyOf(reply: OperationReply | CommandReply): KeyReply {
  switch (reply.kind) {
    case 'put':
      return { kind: 'put' };
    case 'delete':
      return { kind: 'delete', deleted: reply.deleted };
    case 'range': {
      const [version] = reply.versions;
      if (version === undefined) return { kind: 'get', found: null };
      const { value, modRevision } = version;
      return { kind: 'get', found: { value, mod: modRevision } };
    }
    default:
      throw new Violation(`a ${reply.kind} was answered to what reads or writes a key`);
  }
}
