import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { ConnectionId } from '../../core/domain.ts';
import type { Output } from '../../core/input.ts';
import { controlDomain, type DomainId } from '../../core/permissions.ts';
import type { Packet } from '../../core/wire.ts';
import { Silences } from '../silences.ts';
import { quotaSilence } from './options.ts';
import type { Questions } from './questions.ts';
import type { RingClients } from './ring-clients.ts';
import { domainOf, type Shared } from './shared.ts';

const oneSecond: Milliseconds = milliseconds(1_000);

/** Does what the store wants done. */
export class Outputs {
  readonly #shared: Shared;
  readonly #rings: RingClients;
  readonly #questions: Questions;
  readonly #quotas = new Silences<string>(quotaSilence);

  constructor(shared: Shared, rings: RingClients, questions: Questions) {
    this.#shared = shared;
    this.#rings = rings;
    this.#questions = questions;
  }

  /** Does one thing; whatever comes of it is told to the store afterwards. */
  carryOut(output: Output): void {
    switch (output.kind) {
      case 'send':
        this.#send(output.connection, output.packet);
        return;
      case 'hold':
        this.#shared.peers.get(output.connection)?.hold?.(output.held);
        return;
      case 'close':
        this.#close(output.connection);
        return;
      case 'rebind':
        this.#rings.rebind(output.connection, output.port);
        return;
      case 'ask':
        this.#questions.ask(output.ticket, output.question);
        return;
      case 'quota-exceeded':
        this.#quotaExceeded(output.domain, output.quota);
        return;
      case 'wake':
        this.wake();
        return;
    }
  }

  /** Tells the store when a second has passed. */
  wake(): void {
    const { journal, turns } = this.#shared;
    const second = () => {
      journal.write({ kind: 'second' });
      turns.take({ kind: 'second' });
    };
    setTimeout(() => turns.whenFree(second), oneSecond).unref();
  }

  #send(connection: ConnectionId, packet: Packet): void {
    const { trace } = this.#shared.options;
    if (trace?.packets === true) trace.sent(connection, domainOf(this.#shared, connection), packet);
    this.#shared.peers.get(connection)?.send(packet);
  }

  #close(connection: ConnectionId): void {
    const { peers, options } = this.#shared;
    const peer = peers.get(connection);
    options.trace?.disconnected(connection, this.#rings.domainOf(connection));
    peers.delete(connection);
    this.#rings.forget(connection);
    peer?.close?.();
  }

  #quotaExceeded(domain: DomainId, quota: string): void {
    const { onQuota } = this.#shared.options;
    if (onQuota === undefined || domain === controlDomain) return;
    if (this.#quotas.tells(`${domain} ${quota}`)) onQuota(domain, quota);
  }
}
