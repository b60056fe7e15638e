import { present } from '../../../base/assert.ts';
import { seededRandom } from '../../../base/random.ts';
import { memberId } from '../../../consensus/core/ids.ts';
import { type Bug, tamperWith } from './bugs.ts';
import { SafetyChecks, Violation } from './checks.ts';
import { Clients } from './clients.ts';
import { ClientHistory, SharedPast } from './history.ts';
import { SimulatedMember, type Surroundings } from './member.ts';
import { Nemesis } from './nemesis.ts';
import { perfectNetwork, SimulatedNetwork } from './network.ts';
import { calmTime, drawPlan, faultyTime, type Plan } from './plan.ts';
import { World } from './world.ts';

/** What a run has shown. */
export interface Outcome {
  readonly seed: number;
  /** The property that was violated; null if all held. */
  readonly violation: string | null;
  readonly step: number;
  readonly writes: number;
  readonly reads: number;
  readonly crashes: number;
  /** A sum over everything that was committed and when: equal runs have equal sums. */
  readonly fingerprint: string;
  /** What went wrong and when, for people. */
  readonly trace: readonly string[];
}

/** How many entries a member may be behind what clients have seen, after the calm. */
const lagMax = 50;

/** A pool of simulated members, its clients and its nemesis: one run of one seed. */
export class Simulation {
  readonly #seed: number;
  readonly #plan: Plan;
  readonly #world = new World();
  readonly #checks = new SafetyChecks();
  readonly #history = new ClientHistory();
  readonly #members: readonly SimulatedMember[];
  readonly #nemesis: Nemesis;
  readonly #trace: string[] = [];

  constructor(seed: number, bug: Bug | null) {
    const random = seededRandom(seed);
    const world = this.#world;
    this.#seed = seed;
    this.#plan = drawPlan(random);
    const { members, limits, strikes, clients } = this.#plan;
    const network = new SimulatedNetwork(world, random.fork(), perfectNetwork, tamperWith(bug));
    const around: Surroundings = {
      world,
      random: random.fork(),
      network,
      limits,
      checks: this.#checks,
      past: new SharedPast(),
      bug,
      stepped: (member, outputs) => this.#nemesis.stepped(member, outputs),
    };
    const ids = Array.from({ length: members }, (_, i) => memberId(i + 1));
    this.#members = ids.map((id) => new SimulatedMember(id, ids, around));
    const note = (what: string): number =>
      this.#trace.push(`${world.now.toFixed(2)} ms, step ${world.steps}: ${what}`);
    this.#nemesis = new Nemesis(world, random.fork(), this.#members, network, strikes, note);
    const service = new Clients(world, this.#members, this.#history);
    for (let client = 0; client < clients; client += 1) service.start(random.fork());
  }

  /** Runs to the end, or to the first violation. */
  async run(): Promise<Outcome> {
    for (const member of this.#members) member.start();
    this.#nemesis.start(this.#plan.faults);
    await this.#world.runUntil(faultyTime);
    if (this.#world.failure === null) this.#world.after(0, () => this.#nemesis.stop());
    await this.#world.runUntil(faultyTime + calmTime);
    if (this.#world.failure === null) this.#finish();
    const { writes, reads } = this.#history;
    const committed = this.#checks.committed.map(({ term, what }) => `${term} ${what}`);
    return {
      seed: this.#seed,
      violation: this.#world.failure,
      step: this.#world.steps,
      writes,
      reads,
      crashes: this.#nemesis.crashes,
      fingerprint: `${this.#world.steps}/${committed.length}/${hash(committed.join())}`,
      trace: this.#trace,
    };
  }

  /** After the calm: one leader, everybody up to date, every promise kept. */
  #finish(): void {
    try {
      const lives = this.#members.map(({ life }) => present(life, 'all members run'));
      const statuses = lives.map(({ node }) => node.status());
      const leaders = statuses.filter(({ role }) => role === 'leader');
      if (leaders.length !== 1) throw new Violation(`${leaders.length} leaders after the calm`);
      const slowest = Math.min(...statuses.map(({ appliedIndex }) => appliedIndex));
      if (slowest < this.#history.floor - lagMax)
        throw new Violation(`a member is still at ${slowest} of ${this.#history.floor}`);
      this.#history.finish(this.#checks);
    } catch (error) {
      this.#world.fail(error);
    }
  }
}

function hash(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  return sum >>> 0;
}
