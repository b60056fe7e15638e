import type { Random } from '../../../base/random.ts';
import type { Cast } from './cast.ts';
import type { ClientHistory } from './history.ts';
import type { Life, SimulatedMember } from './member.ts';
import type { World } from './world.ts';

/** Clients of a chain: they write and read at any member, one operation at a time each. */
export class Clients {
  readonly #world: World;
  readonly #cast: Cast;
  readonly #history: ClientHistory;
  #commands = 0;
  #stopped = false;

  constructor(world: World, cast: Cast, history: ClientHistory) {
    this.#world = world;
    this.#cast = cast;
    this.#history = history;
  }

  /** Starts one client, which goes on until all are stopped. */
  start(random: Random): void {
    const next = (): void => {
      if (this.#stopped) return;
      this.#operate(random).then(
        () => this.#world.after(1 + random.below(40), next),
        (error) => this.#world.fail(error),
      );
    };
    this.#world.after(random.below(300), next);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #operate(random: Random): Promise<void> {
    const member = random.pick(this.#cast.reachable);
    const { life } = member;
    if (life === null) return;
    if (random.chance(0.4)) await this.#read(member, life);
    else await this.#write(life);
  }

  async #read(member: SimulatedMember, life: Life): Promise<void> {
    const { floor } = this.#history;
    if (await life.canRead())
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
