import { assert } from '../../../base/assert.ts';
import type { Random } from '../../../base/random.ts';
import { milliseconds } from '../../../base/units.ts';
import { blankDisk, type MemoryDisk } from '../../../consensus/adapters/memory/log-store.ts';
import type { Configuration } from '../../../consensus/core/configuration.ts';
import type { MemberId } from '../../../consensus/core/ids.ts';
import type { Outputs } from '../../../consensus/core/output.ts';
import { Node } from '../../../consensus/node.ts';
import type { Clock } from '../../../consensus/ports.ts';
import type { Bug } from './bugs.ts';
import { damageDisk, MemberDamage } from './damage.ts';
import { type Database, openDatabase } from './database.ts';
import { type DiskHealth, SimulatedStore } from './disk.ts';
import { clockDrift } from './lease-book.ts';
import { type Applied, ChainMachine } from './machine.ts';
import type { SimulatedNetwork } from './network.ts';
import type { Plan } from './plan.ts';
import type { PoolChecks } from './pool-checks.ts';
import { type StoreChecks, StoreMachine } from './store-machine.ts';
import type { World } from './world.ts';

/** What the members of one simulated pool share. */
export interface Surroundings {
  readonly world: World;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly plan: Plan;
  readonly checks: PoolChecks;
  readonly stores: StoreChecks;
  readonly bug: Bug | null;
  /** A member has taken a step; the checks have passed. */
  stepped(member: SimulatedMember, outputs: Outputs): void;
}

/** From a start to a crash. */
export interface Life {
  readonly node: Node<Applied>;
  readonly disk: SimulatedStore;
  /** Null where the state machine is a chain. */
  readonly database: Database | null;
  alive: boolean;
  /** Kept when the member crashes: nobody gets an answer any more. */
  readonly gone: Promise<null>;
  readonly end: () => void;
  /** Resolves to whether a read here is linearizable now. */
  readonly canRead: () => Promise<boolean>;
}

/** A member that runs or does not; its disk outlives its lives. */
export class SimulatedMember {
  readonly id: MemberId;
  readonly health: DiskHealth;
  readonly disk: MemoryDisk;
  readonly #around: Surroundings;
  /** How fast its clock runs: 1 is right. */
  readonly #rate: number;
  #stalledUntil = 0;
  life: Life | null = null;
  /** It was removed, or never taken in, and is switched off for good. */
  isGone = false;

  /** A member whose empty disk says that the pool begins so: for one that joins, of nobody. */
  constructor(id: MemberId, beginning: Configuration, around: Surroundings) {
    const { random } = around;
    this.id = id;
    this.#around = around;
    this.disk = blankDisk(beginning);
    this.health = { latencyMax: 1 + random.below(8), full: false };
    this.#rate = 1 - clockDrift + random.below(21) * (clockDrift / 10);
  }

  get leads(): boolean {
    return this.life?.node.status().role === 'leader';
  }

  start(): void {
    if (this.life !== null || this.isGone) return;
    this.#stalledUntil = 0;
    const { world, random, network, plan, checks, stores, bug } = this.#around;
    damageDisk(bug, this.disk);
    const early = bug === 'answer-before-durable';
    const disk = new SimulatedStore(world, random.fork(), this.disk, this.health, early);
    checks.started(this.id, this.disk);
    const pulse = { alive: true };
    const damage = new MemberDamage(bug);
    const forgetful = bug === 'snapshot-forgets-a-command';
    const machine =
      plan.machine === 'store'
        ? new StoreMachine(stores, forgetful)
        : new ChainMachine(stores.past, forgetful);
    const started = Node.start({
      id: this.id,
      store: disk,
      transport: network.transport(this.id),
      clock: this.#clock(pulse, this.#rate),
      random: random.fork(),
      machine,
      limits: plan.limits,
      observe: (raft, _inputs, outputs) => {
        checks.observe(raft, outputs);
        damage.after(raft);
        this.#around.stepped(this, outputs);
      },
    });
    assert(started.ok, 'a simulated store has a readable snapshot');
    const node = started.value;
    // A bug that can be seeded: a clock that is much faster than any should be.
    const leaseRate = this.#rate * (bug === 'lease-by-a-fast-clock' ? 1.5 : 1);
    const database =
      machine instanceof StoreMachine
        ? openDatabase(machine, node, this.#clock(pulse, leaseRate))
        : null;
    const { promise: gone, resolve } = Promise.withResolvers<null>();
    const life: Life = Object.assign(pulse, {
      node,
      disk,
      database,
      gone,
      end: () => resolve(null),
      canRead: async () => {
        // A bug that can be seeded: a leader takes its own word for it.
        if (bug === 'leader-reads-without-asking' && this.leads) return true;
        const reached = await Promise.race([node.readBarrier(), gone]);
        return reached?.ok === true && pulse.alive;
      },
    });
    this.life = life;
  }

  /** The process stands still for a while, and does then what it would have done. */
  stall(duration: number): void {
    this.#stalledUntil = this.#around.world.now + duration;
  }

  crash(): void {
    const { life } = this;
    if (life === null) return;
    life.alive = false;
    life.disk.crash();
    life.end();
    this.life = null;
    this.#around.network.detach(this.id);
    this.#around.checks.ended(this.id);
  }

  /** The member's own time, which ends with its life. */
  #clock(pulse: { readonly alive: boolean }, rate: number): Clock {
    const { world } = this.#around;
    const guarded = (callback: () => void): (() => void) => {
      const run = (): void => {
        const stall = this.#stalledUntil - world.now;
        if (stall > 0) world.after(stall, run);
        else if (pulse.alive) callback();
      };
      return run;
    };
    return {
      now: () => milliseconds(world.now * rate),
      every: (interval, callback) => {
        let running = true;
        const again = guarded(() => {
          if (!running) return;
          world.after(interval / rate, again);
          callback();
        });
        world.after(interval / rate, again);
        return () => {
          running = false;
        };
      },
      defer: (callback) => world.after(0.01, guarded(callback)),
      soon: (callback) => world.after(0.001, guarded(callback)),
    };
  }
}
