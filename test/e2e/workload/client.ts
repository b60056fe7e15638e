import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js';
import { present } from '../../../base/assert.ts';
import type { Random } from '../../../base/random.ts';
import type { Result } from '../../../base/result.ts';
import type { Client, Connection } from '../../../proto/client.ts';
import type { Input } from '../../../proto/codec.ts';
import { KV, type RequestOp, type ResponseOp } from '../../../proto/gen/etcdserverpb.ts';
import type { KeyValue } from '../../../proto/gen/mvccpb.ts';
import {
  answered,
  compareAndSwap,
  get,
  type KeyOperation,
  type KeyReply,
  type KeyValueInput,
  type KeyValueOperation,
  type KeyValueOutput,
  put,
  remove,
  transaction,
} from '../../linearizability/key-value.ts';
import { attempt, connectTo, isRefusal, pause } from './endpoint.ts';
import { now } from './trace.ts';

/** Where clients work, and on what. */
export interface ClientPlace {
  readonly endpoints: readonly string[];
  readonly credentials: ChannelCredentials;
  /** The first two are written together at times. */
  readonly keys: readonly string[];
}

/** Waits between operations: some hundred a second from a client at most. */
const thinkingTime = 8;

/**
 * One client of the key-value API: it reads, writes values that nobody else writes, deletes, and
 * swaps what it has read before. One that roams tries another member after a failure; the others
 * stay, so that every member is asked throughout every fault.
 */
export class WorkloadClient {
  readonly history: KeyValueOperation[] = [];
  readonly refused = new Set<string>();
  readonly #name: string;
  readonly #place: ClientPlace;
  readonly #random: Random;
  readonly #roams: boolean;
  readonly #connections: readonly Connection[];
  readonly #seen = new Map<string, number>();
  #at: number;
  #count = 0;

  constructor(number: number, place: ClientPlace, random: Random) {
    this.#name = `client ${number}`;
    this.#place = place;
    this.#random = random;
    this.#at = number % place.endpoints.length;
    this.#roams = number >= place.endpoints.length;
    this.#connections = place.endpoints.map((endpoint) => connectTo(endpoint, place.credentials));
  }

  /** Works until it is told to end. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const served = await this.#operate(this.#choose());
      if (!served && this.#roams) this.#at = (this.#at + 1) % this.#connections.length;
      await delay(served ? thinkingTime : pause);
    }
    for (const connection of this.#connections) connection.close();
  }

  #choose(): KeyValueInput {
    const { keys } = this.#place;
    const key = this.#random.pick(keys);
    const dice = this.#random.below(100);
    if (dice < 40) return get(key);
    if (dice < 65) return put(key, this.#value());
    if (dice < 75) return remove(key);
    if (dice < 95) return compareAndSwap(key, { mod: this.#seen.get(key) ?? 0 }, this.#value());
    const [one = '', other = ''] = keys;
    return transaction(
      [{ key: one, mod: this.#seen.get(one) ?? 0 }],
      [
        { kind: 'put', key: one, value: this.#value() },
        { kind: 'put', key: other, value: this.#value() },
      ],
      [
        { kind: 'get', key: one },
        { kind: 'get', key: other },
      ],
    );
  }

  #value(): string {
    this.#count += 1;
    return `${this.#name}, ${this.#count}`;
  }

  async #operate(input: KeyValueInput): Promise<boolean> {
    const kv = present(this.#connections[this.#at], 'a client is at a member').client(KV);
    const invoked = now();
    const done = await perform(kv, input);
    const returned = now();
    const common = { process: `${this.#name} at member ${this.#at}`, invoked, input };
    if (done.ok) {
      this.#learn(input, done.value);
      this.history.push({ ...common, returned, output: done.value });
      return true;
    }
    const values = [...input.success, ...input.failure].flatMap((operation) =>
      operation.kind === 'put' ? [operation.value] : [],
    );
    if (isRefusal(done.error)) for (const value of values) this.refused.add(value);
    else this.history.push({ ...common, returned: null, output: null });
    return false;
  }

  #learn(input: KeyValueInput, { revision, succeeded, replies }: KeyValueOutput): void {
    const operations = succeeded ? input.success : input.failure;
    for (const [position, { key }] of operations.entries()) {
      const reply = replies[position];
      if (reply?.kind === 'put') this.#seen.set(key, revision ?? 0);
      else if (reply?.kind === 'get') this.#seen.set(key, reply.found?.mod ?? 0);
      else this.#seen.set(key, 0);
    }
    // A swap that failed shows nothing: next time it takes what is read until then.
    if (!succeeded && operations.length === 0)
      for (const { key } of input.compares) this.#seen.delete(key);
  }
}

/** Sends a request by the call that is made for it; conditions make it a transaction. */
async function perform(
  kv: Client<KV>,
  input: KeyValueInput,
): Promise<Result<KeyValueOutput, ServiceError>> {
  const [only, ...more] = input.success;
  if (only === undefined || more.length > 0 || input.compares.length > 0)
    return performTxn(kv, input);
  const key = Buffer.from(only.key);
  switch (only.kind) {
    case 'get': {
      const read = await kv.range({ key }, attempt);
      if (!read.ok) return read;
      const { header, kvs } = read.value;
      return { ok: true, value: answered(Number(header?.revision), [found(kvs[0])]) };
    }
    case 'put': {
      const written = await kv.put({ key, value: Buffer.from(only.value) }, attempt);
      if (!written.ok) return written;
      return {
        ok: true,
        value: answered(Number(written.value.header?.revision), [{ kind: 'put' }]),
      };
    }
    case 'delete': {
      const gone = await kv.deleteRange({ key }, attempt);
      if (!gone.ok) return gone;
      const reply = { kind: 'delete', deleted: Number(gone.value.deleted) } as const;
      return { ok: true, value: answered(Number(gone.value.header?.revision), [reply]) };
    }
  }
}

async function performTxn(
  kv: Client<KV>,
  { compares, success, failure }: KeyValueInput,
): Promise<Result<KeyValueOutput, ServiceError>> {
  const done = await kv.txn(
    {
      compare: compares.map((compare) => {
        const key = Buffer.from(compare.key);
        return 'mod' in compare
          ? { key, target: 'MOD', result: 'EQUAL', modRevision: BigInt(compare.mod) }
          : { key, target: 'VALUE', result: 'EQUAL', value: Buffer.from(compare.value) };
      }),
      success: success.map(requestOf),
      failure: failure.map(requestOf),
    },
    attempt,
  );
  if (!done.ok) return done;
  const { header, succeeded, responses } = done.value;
  return { ok: true, value: answered(Number(header?.revision), responses.map(replyOf), succeeded) };
}

function requestOf(operation: KeyOperation): Input<RequestOp> {
  const key = Buffer.from(operation.key);
  switch (operation.kind) {
    case 'get':
      return { requestRange: { key } };
    case 'put':
      return { requestPut: { key, value: Buffer.from(operation.value) } };
    case 'delete':
      return { requestDeleteRange: { key } };
  }
}

function replyOf({ responseRange, responseDeleteRange }: ResponseOp): KeyReply {
  if (responseRange !== undefined) return found(responseRange.kvs[0]);
  if (responseDeleteRange !== undefined)
    return { kind: 'delete', deleted: Number(responseDeleteRange.deleted) };
  return { kind: 'put' };
}

function found(record: KeyValue | undefined): KeyReply {
  if (record === undefined) return { kind: 'get', found: null };
  const value = Buffer.from(record.value).toString();
  return { kind: 'get', found: { value, mod: Number(record.modRevision) } };
}
