import type { Random } from '../../../base/random.ts';
import { membersOf } from '../../../consensus/core/configuration.ts';
import { type MemberId, memberId } from '../../../consensus/core/ids.ts';
import type { MembershipChange } from '../../../consensus/core/membership.ts';
import type { Cast } from './cast.ts';
import type { Life, SimulatedMember } from './member.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** Members that a pool is brought to at most: more would only slow the simulation down. */
const membersMax = 8;

/** What a reshaper works with. */
export interface ReshaperParts {
  readonly world: World;
  readonly cast: Cast;
  /** Longest time between two changes, in milliseconds. */
  readonly every: number;
  /** Makes a member of an empty disk that knows of nobody. */
  readonly create: (id: MemberId) => SimulatedMember;
  readonly note: (what: string) => void;
}

/** Changes the membership all the time, at any member, while everything else goes wrong. */
export class Reshaper {
  readonly #parts: ReshaperParts;
  readonly #random: Random;
  /** Of those who were to be added, what was answered. */
  readonly #answers = new Map<MemberId, 'done' | 'refused'>();
  #lastId: number;
  #active = true;

  constructor(parts: ReshaperParts, random: Random) {
    this.#parts = parts;
    this.#random = random;
    this.#lastId = parts.cast.everyone.length;
  }

  start(): void {
    const { world, every } = this.#parts;
    const next = (): void => {
      if (!this.#active) return;
      this.#act();
      world.after(20 + this.#random.below(every), next);
    };
    world.after(400, next);
  }

  stop(): void {
    this.#active = false;
  }

  /** What was refused never took effect, and what was done did. `tookPart`: by what is committed. */
  finish(tookPart: (member: MemberId) => boolean): void {
    for (const [member, answer] of this.#answers)
      if (tookPart(member) !== (answer === 'done'))
        throw new Violation(`to add ${member} was ${answer}, by the answer`);
  }

  #act(): void {
    const random = this.#random;
    const { cast } = this.#parts;
    const asked = random.chance(0.6) ? cast.leader : random.pick(cast.reachable);
    const life = asked?.life ?? null;
    if (life === null) return;
    const { configuration } = life.node.status();
    const members = membersOf(configuration);
    if (members.length === 0) return;
    const { learners } = configuration;
    const isSmall = members.length < 3;
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        if (members.length < membersMax) this.#add(life);
        break;
      case 4:
        if (learners.length > 0)
          this.#ask(life, { kind: 'promote', member: random.pick(learners) });
        break;
      case 5: {
        const member = random.pick(members);
        const peers = [`elsewhere-${random.below(1000)}:1`];
        this.#ask(life, { kind: 'update', member, peers });
        break;
      }
      case 6:
        this.#remove(life, life.node.status().leader ?? random.pick(members));
        break;
      default:
        if (!isSmall || random.chance(0.2)) this.#remove(life, random.pick(members));
    }
  }

  /** A new member, which may run before it is added, or only afterwards. */
  #add(life: Life): void {
    const { world, cast, create } = this.#parts;
    this.#lastId += 1;
    const id = memberId(this.#lastId);
    const member = create(id);
    cast.add(member);
    world.after(this.#random.below(400), () => member.start());
    const change: MembershipChange = {
      kind: 'add',
      member: id,
      peers: [`host-${id}:1`],
      staysLearner: this.#random.chance(0.3),
    };
    this.#ask(life, change, (outcome) => {
      if (outcome !== 'unknown') this.#answers.set(id, outcome);
      if (outcome === 'refused') this.#switchOff(member);
    });
  }

  /** Who was removed runs on for a while, or to the end. */
  #remove(life: Life, id: MemberId): void {
    this.#ask(life, { kind: 'remove', member: id }, (outcome) => {
      const member = this.#parts.cast.get(id);
      if (outcome !== 'done' || member === undefined || !this.#random.chance(0.5)) return;
      this.#parts.world.after(this.#random.below(1000), () => this.#switchOff(member));
    });
  }

  #switchOff(member: SimulatedMember): void {
    member.crash();
    member.isGone = true;
    this.#parts.note(`${member.id} is switched off for good`);
  }

  #ask(
    life: Life,
    change: MembershipChange,
    then: (outcome: 'done' | 'refused' | 'unknown') => void = () => {},
  ): void {
    const { world, note } = this.#parts;
    const what = `${change.kind} ${change.member}`;
    note(`${life.node.status().member} is asked to ${what}`);
    Promise.race([life.node.changeMembership(change), life.gone])
      .then((result) => {
        const isUnknown =
          result === null || (!result.ok && result.error.code === 'outcome-unknown');
        const outcome = isUnknown ? 'unknown' : result.ok ? 'done' : 'refused';
        const reason = result?.ok === false ? ` (${result.error.code})` : '';
        note(`${what}: ${outcome}${reason}`);
        then(outcome);
      })
      .catch((error) => world.fail(error));
  }
}
