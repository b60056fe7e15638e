import type { Random } from '../../../base/random.ts';
import type { Entry } from '../../../consensus/core/entry.ts';
import type { Outputs } from '../../../consensus/core/output.ts';
import type { Cast } from './cast.ts';
import type { SimulatedMember } from './member.ts';
import { type NetworkFaults, perfectNetwork, type SimulatedNetwork } from './network.ts';
import type { World } from './world.ts';

/** Makes things go wrong: crashes, stalls, partitions, slow and full disks, changes of the leader. */
export class Nemesis {
  readonly #world: World;
  readonly #random: Random;
  readonly #cast: Cast;
  readonly #network: SimulatedNetwork;
  readonly #strikes: number;
  readonly #note: (what: string) => void;
  #active = true;
  /** How often a member crashed. */
  crashes = 0;

  constructor(
    world: World,
    random: Random,
    cast: Cast,
    network: SimulatedNetwork,
    strikes: number,
    note: (what: string) => void,
  ) {
    this.#world = world;
    this.#random = random;
    this.#cast = cast;
    this.#network = network;
    this.#strikes = strikes;
    this.#note = note;
  }

  start(faults: NetworkFaults): void {
    this.#network.faults = faults;
    this.#world.after(200, () => this.#act());
  }

  /** Ends all faults: from now on everything must come to rest and work. */
  stop(): void {
    this.#active = false;
    this.#network.heal();
    this.#network.faults = perfectNetwork;
    for (const member of this.#cast.reachable) {
      member.health.full = false;
      member.health.latencyMax = 2;
      member.stall(0);
      member.start();
    }
    this.#note('calm');
  }

  /**
   * Elections are when most can go wrong: a member may crash right after it voted, won, or has
   * committed what earlier terms left behind; or while a snapshot takes the place of its log.
   */
  stepped(member: SimulatedMember, { messages, persist, committed, restore }: Outputs): void {
    if (!this.#active) return;
    const voted = messages.some((message) => message.kind === 'vote-reply' && message.granted);
    const won = persist?.entries.some(({ payload }) => isFirst(payload)) ?? false;
    const term = member.life?.node.status().term ?? 0;
    const inherited = committed.some((entry) => entry.term < term) && member.leads;
    const isCritical = voted || won || inherited || restore !== null;
    if (!isCritical || !this.#random.chance(this.#strikes)) return;
    const delay = this.#random.pick([0, 0, 20, 60, 150]);
    const duration = this.#random.pick([0, 10, 300, 700]);
    this.#world.after(delay, () => this.#crash(member, duration));
  }

  /** Something goes wrong, and before long something else. */
  #act(): void {
    if (!this.#active) return;
    const random = this.#random;
    const members = this.#cast.reachable;
    const member = random.pick(members);
    const leader = this.#cast.leader ?? member;
    switch (random.below(11)) {
      case 0:
      case 1:
        this.#crash(member, random.below(600));
        break;
      case 2:
        this.#crash(leader, random.below(1000));
        break;
      case 3:
        this.#partition(new Set(members.filter(() => random.chance(0.5))));
        break;
      case 4:
        this.#partition(new Set([leader]));
        break;
      case 5:
        this.#cutOneWay(member, random.chance(0.5));
        break;
      case 6:
        this.#network.heal();
        this.#note('the network is whole');
        break;
      case 7:
        member.health.latencyMax = random.pick([1, 5, 50, 300]);
        this.#note(`the disk of ${member.id} takes up to ${member.health.latencyMax} ms`);
        break;
      case 8:
        member.health.full = random.chance(0.5);
        this.#note(`the disk of ${member.id} is ${member.health.full ? 'full' : 'not full'}`);
        break;
      case 9: {
        const stalled = random.chance(0.5) ? leader : member;
        stalled.stall(random.pick([100, 500, 2000]));
        this.#note(`${stalled.id} stands still`);
        break;
      }
      case 10: {
        const to = random.pick(members).id;
        void leader.life?.node.transferLeadership(to);
        this.#note(`${leader.id} hands over to ${to}`);
        break;
      }
    }
    const pause = random.pick([100, 400, 1500]);
    this.#world.after(20 + random.below(pause), () => this.#act());
  }

  #crash(member: SimulatedMember, duration: number): void {
    if (!this.#active || member.life === null) return;
    member.crash();
    this.crashes += 1;
    this.#note(`${member.id} crashes`);
    this.#world.after(duration, () => {
      member.start();
      this.#note(`${member.id} starts`);
    });
  }

  #partition(side: ReadonlySet<SimulatedMember>): void {
    this.#network.heal();
    for (const one of side)
      for (const other of this.#cast.reachable) {
        if (side.has(other)) continue;
        this.#network.cut(one.id, other.id);
        this.#network.cut(other.id, one.id);
      }
    this.#note(`${[...side].map(({ id }) => id).join()} cut off from the rest`);
  }

  #cutOneWay(member: SimulatedMember, outward: boolean): void {
    for (const other of this.#cast.reachable)
      if (outward) this.#network.cut(member.id, other.id);
      else this.#network.cut(other.id, member.id);
    this.#note(`${member.id} can only ${outward ? 'hear' : 'speak'}`);
  }
}

/** Whether a leader begins its term with it. */
function isFirst(payload: Entry['payload']): boolean {
  return payload.kind === 'noop' || (payload.kind === 'configuration' && payload.proposal === null);
}
