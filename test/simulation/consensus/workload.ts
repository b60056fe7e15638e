import type { Random } from '../../../base/random.ts';
import type { Bug } from './bugs.ts';
import type { Cast } from './cast.ts';
import { Clients } from './clients.ts';
import { ClientHistory } from './history.ts';
import { LeaseHolder } from './lease-holders.ts';
import type { Life } from './member.ts';
import type { Plan } from './plan.ts';
import { Recorder } from './recorder.ts';
import type { SafetyChecks } from './safety-checks.ts';
import { StoreClient } from './store-clients.ts';
import type { StoreChecks } from './store-machine.ts';
import { Violation } from './violation.ts';
import { SimulatedWatcher } from './watchers.ts';
import type { World } from './world.ts';

/** What a workload has done and checked. */
export interface WorkloadCounts {
  readonly writes: number;
  readonly reads: number;
  readonly watchEvents: number;
  readonly leases: number;
  /** Histories for which the search for an order was too long. */
  readonly undecided: number;
}

/** What uses a pool while things go wrong, and knows what it was promised. */
export interface Workload {
  start(random: Random): void;
  /** Leases are neither granted nor renewed from now on. */
  calm(): void;
  /** Nothing is asked for any more, from now on. */
  quiet(): void;
  /** Everything that was promised must hold. */
  finish(): void;
  readonly counts: WorkloadCounts;
}

/** What a workload works with. */
export interface WorkloadParts {
  readonly world: World;
  readonly cast: Cast;
  readonly plan: Plan;
  readonly safety: SafetyChecks;
  readonly stores: StoreChecks;
  readonly bug: Bug | null;
}

/** The workload that a plan asks for. */
export function workloadOf(parts: WorkloadParts): Workload {
  return parts.plan.machine === 'store' ? storeWorkload(parts) : chainWorkload(parts);
}

function chainWorkload({ world, cast, plan, safety }: WorkloadParts): Workload {
  const history = new ClientHistory();
  const clients = new Clients(world, cast, history);
  return {
    start: (random) => {
      for (let client = 0; client < plan.clients; client += 1) clients.start(random.fork());
    },
    calm: () => {},
    quiet: () => clients.stop(),
    finish: () => history.finish(safety),
    get counts() {
      const { writes, reads } = history;
      return { writes, reads, watchEvents: 0, leases: 0, undecided: 0 };
    },
  };
}

function storeWorkload({ world, cast, plan, stores, bug }: WorkloadParts): Workload {
  const { truth, leases } = stores;
  const recorder = new Recorder(world);
  const clients: StoreClient[] = [];
  const watchers: SimulatedWatcher[] = [];
  const holders: LeaseHolder[] = [];
  return {
    start: (random) => {
      for (let number = 1; number <= plan.clients; number += 1)
        clients.push(
          new StoreClient({ world, cast, recorder, truth }, random.fork(), `client${number}`),
        );
      for (let number = 1; number <= plan.watchers; number += 1)
        watchers.push(new SimulatedWatcher({ world, cast, truth, bug }, random.fork()));
      for (let number = 1; number <= plan.leaseHolders; number += 1)
        holders.push(new LeaseHolder({ world, cast, book: leases }, random.fork(), number));
      for (const each of [...clients, ...watchers, ...holders]) each.start();
    },
    calm: () => {
      for (const holder of holders) holder.stop();
    },
    quiet: () => {
      for (const client of clients) client.stop();
    },
    finish: () => {
      recorder.finish();
      for (const watcher of watchers) watcher.finish();
      for (const { id, life } of cast.reachable)
        if (life !== null && life.node.status().leader !== null) checkAtRest(id, life.database);
    },
    get counts() {
      const watchEvents = watchers.reduce((sum, { events }) => sum + events, 0);
      const { writes, reads, undecided } = recorder;
      return { writes, reads, watchEvents, leases: leases.granted, undecided };
    },
  };

  function checkAtRest(id: number, database: Life['database']): void {
    if (database === null || database.store.revision < truth.revision) return;
    database.machine.checkWhole();
    const [lease] = database.store.leases();
    if (lease !== undefined)
      throw new Violation(`lease ${lease.id} of ${lease.ttl} s never expired at ${id}`);
  }
}
