import { seededRandom } from '../../../base/random.ts';
import { configurationOf, isVoter, membersOf } from '../../../consensus/core/configuration.ts';
import { type MemberId, memberId } from '../../../consensus/core/ids.ts';
import type { Bug } from './bugs.ts';
import { Cast } from './cast.ts';
import { LeaseBook } from './lease-book.ts';
import { SharedPast } from './machine.ts';
import { SimulatedMember, type Surroundings } from './member.ts';
import { Nemesis } from './nemesis.ts';
import { perfectNetwork, SimulatedNetwork } from './network.ts';
import { drawPlan, type Plan, schedule } from './plan.ts';
import { PoolChecks } from './pool-checks.ts';
import { Reshaper } from './reshaper.ts';
import { tamperWith } from './tampering.ts';
import { Truth } from './truth.ts';
import { Violation } from './violation.ts';
import { type Workload, type WorkloadCounts, workloadOf } from './workload.ts';
import { World } from './world.ts';

/** What a run has shown. */
export interface Outcome extends WorkloadCounts {
  readonly seed: number;
  /** The property that was violated; null if all held. */
  readonly violation: string | null;
  readonly step: number;
  readonly crashes: number;
  /** Changes of the membership that were committed. */
  readonly changes: number;
  /** A sum over everything that was committed and when: equal runs have equal sums. */
  readonly fingerprint: string;
  /** What went wrong and when, for people. */
  readonly trace: readonly string[];
}

/** A pool of simulated members, its clients and its nemesis: one run of one seed. */
export class Simulation {
  readonly #seed: number;
  readonly #plan: Plan;
  readonly #world = new World();
  readonly #cast = new Cast();
  readonly #checks: PoolChecks;
  readonly #workload: Workload;
  readonly #nemesis: Nemesis;
  readonly #reshaper: Reshaper | null;
  readonly #trace: string[] = [];
  /** Who was last asked to lead. */
  #successor: MemberId | null = null;
  /** The term when the pool had come to rest. */
  #restingTerm = 0;

  constructor(seed: number, bug: Bug | null) {
    const random = seededRandom(seed);
    const world = this.#world;
    const cast = this.#cast;
    const plan = drawPlan(random);
    this.#seed = seed;
    this.#plan = plan;
    const ids = Array.from({ length: plan.members }, (_, at) => memberId(at + 1));
    const beginning = configurationOf(ids);
    this.#checks = new PoolChecks(beginning, (id) => cast.get(id)?.disk);
    const network = new SimulatedNetwork(world, random.fork(), perfectNetwork, tamperWith(bug));
    const stores = { past: new SharedPast(), truth: new Truth(), leases: new LeaseBook(world) };
    const around: Surroundings = {
      world,
      random: random.fork(),
      network,
      plan,
      checks: this.#checks,
      stores,
      bug,
      stepped: (member, outputs) => this.#nemesis.stepped(member, outputs),
    };
    for (const id of ids) cast.add(new SimulatedMember(id, beginning, around));
    const note = (what: string): void => this.#note(what);
    this.#nemesis = new Nemesis(world, random.fork(), cast, network, plan.strikes, note);
    const { safety } = this.#checks;
    this.#workload = workloadOf({ world, cast, plan, safety, stores, bug });
    this.#workload.start(random.fork());
    const create = (id: MemberId) => new SimulatedMember(id, configurationOf([]), around);
    this.#reshaper =
      plan.changeEvery === null
        ? null
        : new Reshaper({ world, cast, every: plan.changeEvery, create, note }, random.fork());
  }

  /** Runs to the end, or to the first violation. */
  async run(): Promise<Outcome> {
    const world = this.#world;
    for (const member of this.#cast.everyone) member.start();
    this.#nemesis.start(this.#plan.faults);
    this.#reshaper?.start();
    await this.#until(schedule.calm, () => this.#calm());
    await this.#until(schedule.quiet, () => this.#quiet());
    await this.#until(schedule.handOver, () => this.#handOver());
    await this.#until(schedule.end, () => this.#finish());
    const committed = this.#checks.safety.committed.map(({ term, what }) => `${term} ${what}`);
    return {
      ...this.#workload.counts,
      seed: this.#seed,
      violation: world.failure,
      step: world.steps,
      crashes: this.#nemesis.crashes,
      changes: this.#checks.configurations.changes,
      fingerprint: `${world.steps}/${committed.length}/${hash(committed.join())}`,
      trace: this.#trace,
    };
  }

  #note(what: string): void {
    const { now, steps } = this.#world;
    this.#trace.push(`${now.toFixed(2)} ms, step ${steps}: ${what}`);
  }

  /** Lets time pass up to a moment, and does something then if nothing has failed so far. */
  async #until(moment: number, act: () => void): Promise<void> {
    await this.#world.runUntil(moment);
    if (this.#world.failure !== null) return;
    try {
      act();
    } catch (error) {
      this.#world.fail(error);
    }
  }

  #calm(): void {
    this.#reshaper?.stop();
    this.#nemesis.stop();
    this.#workload.calm();
  }

  #quiet(): void {
    this.#workload.quiet();
    this.#restingTerm = this.#cast.leader?.life?.node.status().term ?? 0;
  }

  /** Whoever has become a voter last is to lead: so it votes, and is voted for. */
  #handOver(): void {
    const { leader } = this.#cast;
    const life = leader?.life ?? null;
    if (life === null) throw new Violation('nobody leads after the calm');
    const { configuration, term } = life.node.status();
    if (term !== this.#restingTerm)
      throw new Violation(`somebody disturbs: term ${this.#restingTerm} became ${term}`);
    if (!isVoter(configuration, life.node.status().member))
      throw new Violation(`${leader?.id} leads, and is no voter any more`);
    const newest = configuration.voters.at(-1);
    if (newest === undefined || newest === leader?.id) return;
    this.#note(`${leader?.id} is to hand over to ${newest}`);
    this.#successor = newest;
    void life.node.transferLeadership(newest);
  }

  /** At the end: one leader, everybody who takes part up to date, every promise kept. */
  #finish(): void {
    const statuses = this.#cast.reachable.flatMap(({ life }) => life?.node.status() ?? []);
    const leaders = statuses.filter(({ role }) => role === 'leader');
    const [leader] = leaders;
    if (leader === undefined || leaders.length > 1)
      throw new Violation(`${leaders.length} leaders after the calm`);
    const { configuration, commitIndex, member: leading } = leader;
    if (this.#successor !== null && leading !== this.#successor)
      throw new Violation(`${leading} leads, although ${this.#successor} was to`);
    if (configuration.joining.length > 0)
      throw new Violation(`${configuration.joining} would join, and never came to vote`);
    for (const member of membersOf(configuration)) {
      const status = statuses.find((each) => each.member === member);
      const place = isVoter(configuration, member) ? 'voter' : 'learner';
      if (status === undefined) throw new Violation(`${place} ${member} does not run`);
      if (status.appliedIndex < commitIndex || status.leader !== leading || status.removed)
        throw new Violation(
          `${place} ${member} is at ${status.appliedIndex} of ${commitIndex}, follows ${status.leader} of ${leading}`,
        );
    }
    const { configurations } = this.#checks;
    this.#reshaper?.finish((member) => configurations.tookPart(member));
    this.#workload.finish();
  }
}

function hash(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  return sum >>> 0;
}
