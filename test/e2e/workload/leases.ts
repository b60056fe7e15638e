import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { present } from '../../../base/assert.ts';
import type { Random } from '../../../base/random.ts';
import type { Connection } from '../../../proto/client.ts';
import {
  KV,
  Lease,
  type LeaseGrantResponse,
  type LeaseKeepAliveResponse,
} from '../../../proto/gen/etcdserverpb.ts';
import { attempt, connectTo, pause } from './endpoint.ts';
import { now, type UsedLease } from './trace.ts';

/** Seconds: the shortest lease that there is. */
const ttl = 2n;

/** Renewals come so often, in milliseconds, and a lease has up to so many. */
const renewalInterval = 400;
const renewalsMax = 5;

/** Takes leases one after another, renews each for a while at any member, and lets it go. */
export class LeaseUser {
  readonly used: UsedLease[] = [];
  readonly #prefix: string;
  readonly #random: Random;
  readonly #connections: readonly Connection[];

  constructor(
    endpoints: readonly string[],
    credentials: ChannelCredentials,
    prefix: string,
    random: Random,
  ) {
    this.#prefix = prefix;
    this.#random = random;
    this.#connections = endpoints.map((endpoint) => connectTo(endpoint, credentials));
  }

  /** Works until it is told to end. */
  async run(isOver: () => boolean): Promise<void> {
    for (let number = 0; !isOver(); number += 1) {
      const key = `${this.#prefix}${number}`;
      await this.#use(key, isOver);
    }
    for (const connection of this.#connections) connection.close();
  }

  async #use(key: string, isOver: () => boolean): Promise<void> {
    let renewed = now();
    const granted = await this.#member().client(Lease).leaseGrant({ TTL: ttl }, attempt);
    if (!granted.ok) {
      await delay(pause);
      return;
    }
    const { ID: lease }: LeaseGrantResponse = granted.value;
    const record = { key: Buffer.from(key), value: Buffer.from(key), lease };
    // Where it is not known whether the key was written, nothing can be said of its end.
    if (!(await this.#member().client(KV).put(record, attempt)).ok) return;
    const renewals = this.#random.below(renewalsMax);
    for (let count = 0; count < renewals && !isOver(); count += 1) {
      await delay(renewalInterval);
      const asked = now();
      const left = await this.#renew(lease);
      if (left === 0n) break;
      if (left !== null) renewed = asked;
    }
    this.used.push({ key, ttl: Number(granted.value.TTL) * 1000, renewed });
  }

  /** The seconds that the lease has now; 0 if it is gone, null if nobody says. */
  #renew(ID: bigint): Promise<bigint | null> {
    const stream = this.#member().client(Lease).leaseKeepAlive();
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(null), attempt.timeout);
      const end = (left: bigint | null) => {
        clearTimeout(timer);
        stream.cancel();
        resolve(left);
      };
      stream.on('data', ({ TTL }: LeaseKeepAliveResponse) => end(TTL));
      stream.on('error', () => end(null));
      stream.write({ ID });
    });
  }

  #member(): Connection {
    return present(this.#random.pick(this.#connections), 'there are members');
  }
}
