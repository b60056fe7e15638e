import { present } from '../../../base/assert.ts';
import type { ConnectionId } from './domain.ts';
import type { StoreDump } from './dump.ts';
import type { Question } from './input.ts';
import { bytesOf } from './payload.ts';
import type { Packet } from './wire.ts';

/** A request whose reply waits for the adapter's answer. */
interface Waiting {
  readonly connection: ConnectionId;
  /** Without its payload. */
  readonly packet: Packet;
  readonly question: Question;
}

/** Questions to the adapter that wait for an answer, by their tickets. */
export class Questions {
  readonly #waiting = new Map<number, Waiting>();
  #nextTicket = 1;

  /** Knows what another store has dumped. */
  adopt({ nextTicket, waiting }: Pick<StoreDump, 'nextTicket' | 'waiting'>): void {
    for (const { ticket, ...each } of waiting) this.#waiting.set(ticket, each);
    this.#nextTicket = nextTicket;
  }

  /** Everything about them: see `StoreDump`. */
  dump(): Pick<StoreDump, 'nextTicket' | 'waiting'> {
    return {
      nextTicket: this.#nextTicket,
      waiting: [...this.#waiting].map(([ticket, waiting]) => ({ ticket, ...waiting })),
    };
  }

  /** Keeps a question that a request brings up; its ticket comes back. */
  ask(connection: ConnectionId, packet: Packet, question: Question): number {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    const kept = { ...packet, payload: bytesOf('') };
    this.#waiting.set(ticket, { connection, packet: kept, question });
    return ticket;
  }

  /** The question of a ticket, which is answered. */
  answered(ticket: number): Waiting {
    const waiting = present(this.#waiting.get(ticket), `question ${ticket} was asked`);
    this.#waiting.delete(ticket);
    return waiting;
  }
}
