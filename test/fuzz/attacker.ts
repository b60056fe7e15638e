import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import * as v from 'valibot';
import { present } from '../../base/assert.ts';
import { seededRandom } from '../../base/random.ts';
import { grpcAttacks } from './grpc-attacks.ts';
import { type Attack, crowds, http2Attacks } from './http2-attacks.ts';
import { type Claim, madMember, strangers } from './peer-attacks.ts';

/** What an attacker is told: everything that it does follows from it. */
export interface Orders {
  /** Names of attacks, in the order in which they are made. */
  readonly attacks: readonly string[];
  /** HOST:PORT. */
  readonly address: string;
  /** A method of the port, for attacks below gRPC. */
  readonly path: string;
  readonly seed: number;
  readonly claim: Claim;
}

/** The attacks on a port of clients, and on a port of members. */
export function attacksOn(
  claim: Claim,
): Readonly<Record<'clients' | 'members', readonly Attack[]>> {
  return {
    clients: [...http2Attacks, ...crowds, ...grpcAttacks],
    members: [...http2Attacks, ...crowds, ...strangers(claim)],
  };
}

/**
 * Attacks from a thread of its own, so that who measures the member is not held up itself. `began`
 * is told of each attack.
 */
export function attackFromThread(orders: Orders, began: (attack: string) => void): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: orders });
  return new Promise((resolve, reject) => {
    worker.on('message', (attack: string | null) => {
      if (attack !== null) {
        began(attack);
        return;
      }
      void worker.terminate();
      resolve();
    });
    worker.once('error', reject);
  });
}

const OrdersSchema = v.object({
  attacks: v.array(v.string()),
  address: v.string(),
  path: v.string(),
  seed: v.number(),
  claim: v.object({ pool: v.string(), from: v.number(), to: v.number() }),
});

if (!isMainThread && v.is(OrdersSchema, workerData)) {
  const { attacks, address, path, seed, claim } = workerData;
  const random = seededRandom(seed);
  const { clients, members } = attacksOn(claim);
  const known = [...clients, ...members, madMember(claim)];
  for (const attack of attacks) {
    const chosen = known.find(({ name }) => name === attack);
    parentPort?.postMessage(attack);
    await present(chosen, 'attacks are known by name').run(address, path, random.fork());
  }
  parentPort?.postMessage(null);
}
