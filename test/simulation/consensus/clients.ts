import type { Random } from '../../../base/random.ts';
import type { ClientHistory } from './history.ts';
import type { Life, SimulatedMember } from './member.ts';
import type { World } from './world.ts';

/** Clients that write and read at any member, one operation at a time each. */
export class Clients {
  readonly #world: World;
  readonly #members: readonly SimulatedMember[];
  readonly #history: ClientHistory;
  #commands = 0;

  constructor(world: World, members: readonly SimulatedMember[], history: ClientHistory) {
    this.#world = world;
    this.#members = members;
    this.#history = history;
  }

  /** Starts one client, which goes on to the end. */
  start(random: Random): void {
    const next = (): void => {
      this.#operate(random).then(
        () => this.#world.after(1 + random.below(60), next),
        (error) => this.#world.fail(error),
      );
    };
    this.#world.after(random.below(300), next);
  }

  async #operate(random: Random): Promise<void> {
    const member = random.pick(this.#members);
    const { life } = member;
    if (life === null) return;
    if (random.chance(0.4)) await this.#read(member, life);
    else await this.#write(life);
  }

  async #read(member: SimulatedMember, life: Life): Promise<void> {
    const { floor } = this.#history;
    const result = await Promise.race([life.node.readBarrier(), life.gone]);
    if (result?.ok === true && life.alive)
      this.#history.readEnded(member.id, floor, life.node.status().appliedIndex);
  }

  /** A write whose member crashes has no known outcome. */
  async #write(life: Life): Promise<void> {
    const { floor } = this.#history;
    this.#commands += 1;
    const command = `command ${this.#commands}`;
    const result = await Promise.race([life.node.propose(Buffer.from(command)), life.gone]);
    if (result !== null) this.#history.writeEnded(command, floor, result);
  }
}
