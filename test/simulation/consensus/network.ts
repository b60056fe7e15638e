import type { Random } from '../../../base/random.ts';
import { membersOf } from '../../../consensus/core/configuration.ts';
import type { MemberId } from '../../../consensus/core/ids.ts';
import type { Message } from '../../../consensus/core/message.ts';
import type { PeerReceiver, PeerTransport } from '../../../consensus/ports.ts';
import type { Tampered } from './tampering.ts';
import type { World } from './world.ts';

/** What happens to messages on their way, as probabilities and milliseconds. */
export interface NetworkFaults {
  readonly loss: number;
  readonly duplication: number;
  readonly delayMin: number;
  readonly delayMax: number;
  /** Now and then a message takes this much longer. */
  readonly straggler: number;
  readonly stragglerDelay: number;
}

/** A network that never harms a message. */
export const perfectNetwork: NetworkFaults = {
  loss: 0,
  duplication: 0,
  delayMin: 1,
  delayMax: 2,
  straggler: 0,
  stragglerDelay: 0,
};

/** The network between the members: it loses, delays, repeats and reorders. */
export class SimulatedNetwork {
  faults: NetworkFaults;
  readonly #world: World;
  readonly #random: Random;
  readonly #receivers = new Map<MemberId, PeerReceiver>();
  readonly #cut = new Set<string>();
  /** A bug that can be seeded: changes what is sent, and what the sender receives at once. */
  readonly #tamper: (message: Message) => Tampered;

  constructor(
    world: World,
    random: Random,
    faults: NetworkFaults,
    tamper: (message: Message) => Tampered,
  ) {
    this.#world = world;
    this.#random = random;
    this.faults = faults;
    this.#tamper = tamper;
  }

  /**
   * The transport of a member for one life. It has a way to those whom it was told of, and to those
   * who have spoken to it.
   */
  transport(member: MemberId): PeerTransport {
    let told: readonly MemberId[] = [];
    const met = new Set<MemberId>();
    return {
      send: (messages) => {
        for (const message of messages)
          if (told.includes(message.to) || met.has(message.to)) this.#send(message);
      },
      attach: (receiver) => {
        this.#receivers.set(member, {
          receive: (messages) => {
            for (const { from } of messages) met.add(from);
            receiver.receive(messages);
          },
          unreachable: (other) => receiver.unreachable(other),
        });
      },
      configure: (configuration) => {
        told = membersOf(configuration);
      },
      refuse: () => {},
    };
  }

  /** The member is gone: what arrives for it is lost, and the others see their connections break. */
  detach(member: MemberId): void {
    this.#receivers.delete(member);
    for (const receiver of this.#receivers.values()) receiver.unreachable(member);
  }

  /** Cuts the way from one member to another, not the way back. */
  cut(from: MemberId, to: MemberId): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
  }

  #send(original: Message): void {
    const { message, echoes, copy } = this.#tamper(original);
    for (const echo of echoes)
      this.#world.after(0, () => this.#receivers.get(echo.to)?.receive([echo]));
    if (this.#random.chance(this.faults.loss)) return;
    this.#deliver(message, this.#delay());
    if (this.#random.chance(this.faults.duplication)) this.#deliver(copy, this.#delay());
  }

  #delay(): number {
    const { delayMin, delayMax, straggler, stragglerDelay } = this.faults;
    const extra = this.#random.chance(straggler) ? this.#random.below(stragglerDelay + 1) : 0;
    return delayMin + this.#random.below((delayMax - delayMin) * 10 + 1) / 10 + extra;
  }

  #deliver(message: Message, delay: number): void {
    this.#world.after(delay, () => {
      if (this.#cut.has(`${message.from}>${message.to}`)) return;
      this.#receivers.get(message.to)?.receive([message]);
    });
  }
}
