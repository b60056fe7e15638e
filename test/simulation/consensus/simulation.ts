import { assert, present } from '../../../base/assert.ts';
import { type Random, seededRandom } from '../../../base/random.ts';
import { bytes, milliseconds } from '../../../base/units.ts';
import { blankDisk, type MemoryDisk } from '../../../consensus/adapters/memory/log-store.ts';
import { type MemberId, memberId } from '../../../consensus/core/ids.ts';
import type { Outputs } from '../../../consensus/core/output.ts';
import { defaultLimits, type NodeLimits } from '../../../consensus/driver/limits.ts';
import { Node } from '../../../consensus/node.ts';
import type { Clock } from '../../../consensus/ports.ts';
import { type Bug, damageDisk, damageMember, tamperWith } from './bugs.ts';
import { SafetyChecks, Violation } from './checks.ts';
import { type DiskHealth, SimulatedStore } from './disk.ts';
import { type Applied, ChainMachine, ClientHistory, SharedPast } from './history.ts';
import { type NetworkFaults, perfectNetwork, SimulatedNetwork } from './network.ts';
import { World } from './world.ts';

/** How long things go wrong, and how long everything then has to recover, in milliseconds. */
const faultyTime = 5000;
const calmTime = 5000;

/** A member that may or may not run now. */
interface Member {
  readonly id: MemberId;
  readonly disk: MemoryDisk;
  readonly health: DiskHealth;
  /** How fast its clock runs: 1 is right. */
  readonly rate: number;
  life: {
    readonly node: Node<Applied>;
    readonly machine: ChainMachine;
    readonly store: SimulatedStore;
    alive: boolean;
  } | null;
}

/** What a run has shown. */
export interface Outcome {
  readonly seed: number;
  /** The property that was violated; null if all held. */
  readonly violation: string | null;
  readonly step: number;
  readonly members: number;
  readonly writes: number;
  readonly reads: number;
  readonly crashes: number;
  /** A sum over everything that was committed and when: equal runs have equal sums. */
  readonly fingerprint: string;
  /** The last things that happened, for people. */
  readonly trace: readonly string[];
}

/** A pool of simulated members, its clients and its nemesis: one run of one seed. */
export class Simulation {
  readonly #seed: number;
  readonly #bug: Bug | null;
  readonly #random: Random;
  readonly #world = new World();
  readonly #network: SimulatedNetwork;
  readonly #checks = new SafetyChecks();
  readonly #history = new ClientHistory();
  readonly #past = new SharedPast();
  readonly #members: readonly Member[];
  readonly #limits: NodeLimits;
  /** How likely a member crashes in the moment of an election. */
  readonly #strikes: number;
  readonly #trace: string[] = [];
  #violation: string | null = null;
  #crashes = 0;
  #commands = 0;

  constructor(seed: number, bug: Bug | null) {
    this.#seed = seed;
    this.#bug = bug;
    this.#random = seededRandom(seed);
    this.#limits = chooseLimits(this.#random);
    const length = this.#random.pick([1, 2, 3, 3, 3, 4, 5, 5, 5, 6, 7]);
    const ids = Array.from({ length }, (_, i) => memberId(i + 1));
    this.#members = ids.map((id) => ({
      id,
      disk: blankDisk({ voters: ids, learners: [] }),
      health: { latencyMax: 1 + this.#random.below(8), full: false },
      rate: 0.9 + this.#random.below(21) / 100,
      life: null,
    }));
    this.#strikes = this.#random.pick([0, 0.02, 0.2, 0.5]);
    const faults = chooseFaults(this.#random);
    this.#network = new SimulatedNetwork(this.#world, this.#random.fork(), faults, tamperWith(bug));
  }

  /** Runs to the end, or to the first violation. */
  async run(): Promise<Outcome> {
    try {
      for (const member of this.#members) this.#start(member);
      this.#startClients();
      this.#world.after(200, () => this.#nemesis());
      await this.#world.runUntil(faultyTime);
      this.#calm();
      await this.#world.runUntil(faultyTime + calmTime);
      this.#finish();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#violation ??= error.message;
    }
    const { writes, reads } = this.#history;
    const committed = this.#checks.committed.map(({ term, what }) => `${term} ${what}`);
    return {
      seed: this.#seed,
      violation: this.#violation,
      step: this.#world.steps,
      members: this.#members.length,
      writes,
      reads,
      crashes: this.#crashes,
      fingerprint: `${this.#world.steps}/${committed.length}/${hash(committed.join())}`,
      trace: this.#trace,
    };
  }

  #start(member: Member): void {
    damageDisk(this.#bug, member.disk);
    const answersEarly = this.#bug === 'answer-before-durable';
    const { disk, health } = member;
    const store = new SimulatedStore(this.#world, this.#random.fork(), disk, health, answersEarly);
    const machine = new ChainMachine(this.#past, this.#bug === 'snapshot-forgets-a-command');
    const life = { alive: true };
    const node = Node.start({
      id: member.id,
      store,
      transport: this.#network.transport(member.id),
      clock: this.#clock(member, life),
      random: this.#random.fork(),
      machine,
      limits: this.#limits,
      observe: (raft, _inputs, outputs) => {
        damageMember(this.#bug, raft);
        this.#checks.observe(raft, outputs);
        this.#strike(member, outputs);
      },
    });
    assert(node.ok, 'a simulated store has a readable snapshot');
    member.life = Object.assign(life, { node: node.value, machine, store });
    this.#note(`start ${member.id}`);
  }

  /** Elections are when most can go wrong: a member may crash right after it voted or won. */
  #strike(member: Member, { messages, persist }: Outputs): void {
    if (this.#world.now >= faultyTime) return;
    const voted = messages.some((message) => message.kind === 'vote-reply' && message.granted);
    const won = persist?.entries.some(({ payload }) => payload.kind === 'noop') ?? false;
    if (!(voted || won) || !this.#random.chance(this.#strikes)) return;
    const delay = this.#random.pick([0, 0, 5, 30, 100]);
    const duration = this.#random.pick([0, 10, 200, 400]);
    this.#world.after(delay, () => this.#crashFor(member, duration));
  }

  #crash(member: Member): void {
    if (member.life === null) return;
    member.life.alive = false;
    member.life.store.crash();
    member.life = null;
    this.#network.detach(member.id);
    this.#checks.forget(member.id);
    this.#crashes += 1;
    this.#note(`crash ${member.id}`);
  }

  /** A member's own time, which ends with its life. A violation ends the run. */
  #clock(member: Member, life: { alive: boolean }): Clock {
    const guarded = (callback: () => void) => () => {
      if (life.alive && this.#violation === null) this.#guard(callback);
    };
    return {
      now: () => milliseconds(this.#world.now * member.rate),
      every: (interval, callback) => {
        let running = true;
        const again = guarded(() => {
          if (!running) return;
          this.#world.after(interval / member.rate, again);
          callback();
        });
        this.#world.after(interval / member.rate, again);
        return () => {
          running = false;
        };
      },
      defer: (callback) => this.#world.after(0.01, guarded(callback)),
    };
  }

  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      // An assertion of the program itself is a finding like any other.
      const message = error instanceof Error ? error.message : String(error);
      this.#violation ??= message;
      throw new Violation(message);
    }
  }

  #startClients(): void {
    const clients = 1 + this.#random.below(5);
    for (let client = 0; client < clients; client += 1) {
      const random = this.#random.fork();
      const next = (): void => {
        void this.#operate(random).then(() => {
          this.#world.after(1 + random.below(60), next);
        });
      };
      this.#world.after(random.below(300), next);
    }
  }

  /** One operation of a client at any member, as far as that member runs. */
  async #operate(random: Random): Promise<void> {
    const member = random.pick(this.#members);
    const { life } = member;
    if (life === null) return;
    const { floor } = this.#history;
    if (random.chance(0.4)) {
      const result = await life.node.readBarrier();
      if (result.ok && life.alive)
        this.#check(() =>
          this.#history.readEnded(member.id, floor, life.node.status().appliedIndex),
        );
      return;
    }
    this.#commands += 1;
    const command = `command ${this.#commands}`;
    const result = await life.node.propose(Buffer.from(command));
    if (life.alive) this.#check(() => this.#history.writeEnded(command, floor, result));
  }

  #check(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#violation ??= error.message;
    }
  }

  /** Something goes wrong, and before long something else. */
  #nemesis(): void {
    if (this.#violation !== null) throw new Violation(this.#violation);
    if (this.#world.now >= faultyTime) return;
    const random = this.#random;
    const member = random.pick(this.#members);
    switch (random.below(10)) {
      case 0:
      case 1:
        this.#crashFor(member, random.below(600));
        break;
      case 2: {
        const leader = this.#members.find(({ life }) => life?.node.status().role === 'leader');
        if (leader !== undefined) this.#crashFor(leader, random.below(1000));
        break;
      }
      case 3:
        this.#partition(new Set(this.#members.filter(() => random.chance(0.5))));
        break;
      case 9: {
        const leader = this.#members.find(({ life }) => life?.node.status().role === 'leader');
        if (leader !== undefined) this.#partition(new Set([leader]));
        break;
      }
      case 4:
        this.#cutOneWay(member, random);
        break;
      case 5:
        this.#network.heal();
        this.#note('heal');
        break;
      case 6:
        member.health.latencyMax = random.pick([1, 5, 50, 300]);
        this.#note(`disk of ${member.id} takes up to ${member.health.latencyMax} ms`);
        break;
      case 7:
        member.health.full = random.chance(0.5);
        this.#note(`disk of ${member.id} is ${member.health.full ? 'full' : 'not full'}`);
        break;
      case 8: {
        const to = random.pick(this.#members).id;
        member.life?.node.transferLeadership(to);
        this.#note(`${member.id} hands over to ${to}`);
        break;
      }
    }
    const pause = random.pick([100, 400, 1500]);
    this.#world.after(20 + random.below(pause), () => this.#nemesis());
  }

  #crashFor(member: Member, duration: number): void {
    if (this.#world.now >= faultyTime) return;
    this.#crash(member);
    this.#world.after(duration, () => {
      if (member.life === null) this.#start(member);
    });
  }

  #partition(side: ReadonlySet<Member>): void {
    this.#network.heal();
    for (const one of side)
      for (const other of this.#members) {
        if (side.has(other)) continue;
        this.#network.cut(one.id, other.id);
        this.#network.cut(other.id, one.id);
      }
    this.#note(`partition ${[...side].map(({ id }) => id).join()} from the rest`);
  }

  #cutOneWay(member: Member, random: Random): void {
    const outward = random.chance(0.5);
    for (const other of this.#members)
      if (outward) this.#network.cut(member.id, other.id);
      else this.#network.cut(other.id, member.id);
    this.#note(`${member.id} can only ${outward ? 'hear' : 'speak'}`);
  }

  /** All faults end: from now on everything must come to rest and work. */
  #calm(): void {
    this.#network.heal();
    this.#network.faults = perfectNetwork;
    for (const member of this.#members) {
      member.health.full = false;
      member.health.latencyMax = 2;
      if (member.life === null) this.#start(member);
    }
    this.#note('calm');
  }

  /** After the calm: one leader, equal state everywhere, every promise kept. */
  #finish(): void {
    if (this.#violation !== null) throw new Violation(this.#violation);
    const statuses = this.#members.map(({ life }) => present(life, 'all run').node.status());
    const leaders = statuses.filter(({ role }) => role === 'leader');
    if (leaders.length !== 1) throw new Violation(`${leaders.length} leaders after the calm`);
    const slowest = Math.min(...statuses.map(({ appliedIndex }) => appliedIndex));
    if (slowest < this.#history.floor - 50)
      throw new Violation(`a member is still at ${slowest} of ${this.#history.floor}`);
    this.#history.finish(this.#checks);
  }

  #note(what: string): void {
    this.#trace.push(`${this.#world.now.toFixed(2)} ms, step ${this.#world.steps}: ${what}`);
  }
}

function chooseLimits(random: Random): NodeLimits {
  return {
    ...defaultLimits,
    // Time-outs close to one another make members stand for election at once.
    electionTimeoutMax: milliseconds(random.pick([260, 300, 500])),
    appendEntriesMax: random.pick([1, 2, 5, 1000]),
    appendBytesMax: bytes(random.pick([100, 1000, 100_000])),
    inflightMessagesMax: random.pick([1, 4, 64]),
    snapshotEntries: random.pick([10, 30, 100_000]),
    trailingEntries: random.pick([0, 5, 20]),
    requestTimeout: milliseconds(1500),
  };
}

function chooseFaults(random: Random): NetworkFaults {
  return {
    loss: random.pick([0, 0.01, 0.1, 0.25]),
    duplication: random.pick([0, 0.05, 0.2]),
    delayMin: 1,
    delayMax: random.pick([2, 10, 40]),
    straggler: random.pick([0, 0.02, 0.1]),
    stragglerDelay: random.pick([100, 1000]),
  };
}

function hash(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  return sum >>> 0;
}
