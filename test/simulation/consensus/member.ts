import { assert } from '../../../base/assert.ts';
import type { Random } from '../../../base/random.ts';
import { milliseconds } from '../../../base/units.ts';
import { blankDisk, type MemoryDisk } from '../../../consensus/adapters/memory/log-store.ts';
import { configurationOf } from '../../../consensus/core/configuration.ts';
import type { MemberId } from '../../../consensus/core/ids.ts';
import type { Outputs } from '../../../consensus/core/output.ts';
import type { NodeLimits } from '../../../consensus/driver/limits.ts';
import { Node } from '../../../consensus/node.ts';
import type { Clock } from '../../../consensus/ports.ts';
import { type Bug, damageDisk, damageMember } from './bugs.ts';
import type { SafetyChecks } from './checks.ts';
import { type DiskHealth, SimulatedStore } from './disk.ts';
import { type Applied, ChainMachine, type SharedPast } from './history.ts';
import type { SimulatedNetwork } from './network.ts';
import type { World } from './world.ts';

/** What the members of one simulated pool share. */
export interface Surroundings {
  readonly world: World;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly limits: NodeLimits;
  readonly checks: SafetyChecks;
  readonly past: SharedPast;
  readonly bug: Bug | null;
  /** A member has taken a step; the checks have passed. */
  stepped(member: SimulatedMember, outputs: Outputs): void;
}

/** From a start to a crash. */
export interface Life {
  readonly node: Node<Applied>;
  readonly store: SimulatedStore;
  alive: boolean;
  /** Kept when the member crashes: nobody gets an answer any more. */
  readonly gone: Promise<null>;
  readonly end: () => void;
}

/** A member that runs or does not; its disk outlives its lives. */
export class SimulatedMember {
  readonly id: MemberId;
  readonly health: DiskHealth;
  readonly #around: Surroundings;
  readonly #disk: MemoryDisk;
  /** How fast its clock runs: 1 is right. */
  readonly #rate: number;
  life: Life | null = null;

  constructor(id: MemberId, voters: readonly MemberId[], around: Surroundings) {
    const { random } = around;
    this.id = id;
    this.#around = around;
    this.#disk = blankDisk(configurationOf(voters));
    this.health = { latencyMax: 1 + random.below(8), full: false };
    this.#rate = 0.9 + random.below(21) / 100;
  }

  get leads(): boolean {
    return this.life?.node.status().role === 'leader';
  }

  start(): void {
    if (this.life !== null) return;
    const { world, random, network, limits, checks, past, bug } = this.#around;
    damageDisk(bug, this.#disk);
    const early = bug === 'answer-before-durable';
    const store = new SimulatedStore(world, random.fork(), this.#disk, this.health, early);
    const pulse = { alive: true };
    const node = Node.start({
      id: this.id,
      store,
      transport: network.transport(this.id),
      clock: this.#clock(pulse),
      random: random.fork(),
      machine: new ChainMachine(past, bug === 'snapshot-forgets-a-command'),
      limits,
      observe: (raft, _inputs, outputs) => {
        damageMember(bug, raft);
        checks.observe(raft, outputs);
        this.#around.stepped(this, outputs);
      },
    });
    assert(node.ok, 'a simulated store has a readable snapshot');
    const { promise: gone, resolve } = Promise.withResolvers<null>();
    const end = (): void => resolve(null);
    this.life = Object.assign(pulse, { node: node.value, store, gone, end });
  }

  crash(): void {
    const { life } = this;
    if (life === null) return;
    life.alive = false;
    life.store.crash();
    life.end();
    this.life = null;
    this.#around.network.detach(this.id);
    this.#around.checks.forget(this.id);
  }

  /** The member's own time, which ends with its life. */
  #clock(pulse: { readonly alive: boolean }): Clock {
    const { world } = this.#around;
    const guarded = (callback: () => void) => () => {
      if (pulse.alive) callback();
    };
    return {
      now: () => milliseconds(world.now * this.#rate),
      every: (interval, callback) => {
        let running = true;
        const again = guarded(() => {
          if (!running) return;
          world.after(interval / this.#rate, again);
          callback();
        });
        world.after(interval / this.#rate, again);
        return () => {
          running = false;
        };
      },
      defer: (callback) => world.after(0.01, guarded(callback)),
    };
  }
}
