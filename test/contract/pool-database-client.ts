import { credentials, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { type Client, type Connection, connect } from '../../proto/client.ts';
import type { Input } from '../../proto/codec.ts';
import {
  Auth,
  Cluster,
  type DeleteRangeResponse,
  KV,
  Lease,
  Maintenance,
  type PutResponse,
  type RangeRequest,
  type RangeResponse,
  type TxnRequest,
  type TxnResponse,
  Watch,
} from '../../proto/gen/etcdserverpb.ts';
import type { KeyValue } from '../../proto/gen/mvccpb.ts';
import { WatchProbe } from './pool-database-watch.ts';

/** How long any call of the suite may take: an election and a busy machine included. */
export const patience = { timeout: milliseconds(20_000) };

/** What a call answered; throws what it failed with, which only a broken engine does. */
export async function answer<Response>(
  call: Promise<Result<Response, ServiceError>>,
): Promise<Response> {
  const answered = await call;
  if (!answered.ok) throw answered.error;
  return answered.value;
}

/** How a call was refused: `OUT_OF_RANGE etcdserver: mvcc: ...`; "served" where it was not. */
export async function refusal(call: Promise<Result<unknown, ServiceError>>): Promise<string> {
  const answered = await call;
  return answered.ok ? 'served' : `${status[answered.error.code]} ${answered.error.details}`;
}

/** The bytes of a text. */
export function utf8(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** The text of bytes. */
export function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}

/** `key=value` of each record, in order. */
export function pairs(records: readonly KeyValue[]): string[] {
  return records.map(({ key, value }) => `${text(key)}=${text(value)}`);
}

/** The last key before the keys that do not begin with `prefix`, as a range's end. */
export function endOf(prefix: string): Buffer {
  const end = utf8(prefix);
  const last = end.length - 1;
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

/** A client of one member, with the calls that the suite makes all the time in a short form. */
export class PoolDatabaseClient {
  readonly kv: Client<KV>;
  readonly lease: Client<Lease>;
  readonly cluster: Client<Cluster>;
  readonly maintenance: Client<Maintenance>;
  readonly auth: Client<Auth>;
  readonly #watch: Client<Watch>;
  readonly #connection: Connection;
  readonly #probes: WatchProbe[] = [];

  constructor(endpoint: string, channel = credentials.createInsecure()) {
    this.#connection = connect(endpoint, channel, {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
    this.kv = this.#connection.client(KV);
    this.lease = this.#connection.client(Lease);
    this.cluster = this.#connection.client(Cluster);
    this.maintenance = this.#connection.client(Maintenance);
    this.auth = this.#connection.client(Auth);
    this.#watch = this.#connection.client(Watch);
  }

  put(key: string, value: string, lease = 0n): Promise<PutResponse> {
    return answer(this.kv.put({ key: utf8(key), value: utf8(value), lease }, patience));
  }

  get(key: string, options: Input<RangeRequest> = {}): Promise<RangeResponse> {
    return answer(this.kv.range({ key: utf8(key), ...options }, patience));
  }

  getPrefix(prefix: string, options: Input<RangeRequest> = {}): Promise<RangeResponse> {
    return this.get(prefix, { rangeEnd: endOf(prefix), ...options });
  }

  delete(key: string): Promise<DeleteRangeResponse> {
    return answer(this.kv.deleteRange({ key: utf8(key) }, patience));
  }

  txn(request: Input<TxnRequest>): Promise<TxnResponse> {
    return answer(this.kv.txn(request, patience));
  }

  /** The store's newest revision. */
  async revision(): Promise<bigint> {
    return (await this.get('no such key')).header?.revision ?? 0n;
  }

  /** Opens a watch stream. */
  watch(metadata?: Metadata): WatchProbe {
    const probe = new WatchProbe(this.#watch.watch({ metadata }));
    this.#probes.push(probe);
    return probe;
  }

  close(): void {
    for (const probe of this.#probes) probe.close();
    this.#connection.close();
  }
}
