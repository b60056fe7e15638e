import { fail, type Result } from '../../../base/result.ts';
import type { Connection } from './connection.ts';
import type { Domain } from './domain.ts';
import type { XenstoreError } from './error.ts';
import type { Output } from './input.ts';
import { bytesOf, errorPayload } from './payload.ts';
import type { Watch } from './watches.ts';
import { headerLength, messageTypes, type Packet, payloadMax } from './wire.ts';

/**
 * What is sent to clients, and who pays until they have taken it. Whoever pays too much has to wait:
 * its requests are held, so that the daemon's memory is never what a client costs.
 */
export class Delivery {
  /** Domains of which it may have changed whether they must wait. */
  readonly #changed = new Set<Domain>();
  #outputs: Output[] = [];

  /** To be called for a domain whose use, or credit, has changed. */
  readonly note = (domain: Domain): void => {
    if (!domain.privileged) this.#changed.add(domain);
  };

  push(output: Output): void {
    this.#outputs.push(output);
  }

  /** What is to be done since the last call, in order. */
  take(): readonly Output[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** Replies to a request; with E2BIG where the reply would be too long (XSA-72). */
  reply(
    { id, domain, unread }: Connection,
    { type, requestId, transactionId }: Packet,
    wanted: Result<Uint8Array, XenstoreError>,
  ): void {
    const tooLong = wanted.ok && wanted.value.length > payloadMax;
    const outcome = tooLong ? fail<XenstoreError>('E2BIG') : wanted;
    const payload = outcome.ok ? outcome.value : errorPayload(outcome.error);
    if (domain.privileged) unread.pass();
    else {
      unread.push(domain, domain, headerLength + payload.length, null);
      this.note(domain);
    }
    const kind = outcome.ok ? type : messageTypes.ERROR;
    this.#outputs.push({
      kind: 'send',
      connection: id,
      packet: { type: kind, requestId, transactionId, payload },
    });
  }

  /**
   * Sends a watch its event, which `cause` has brought about. An event that is on its way already is
   * not sent twice; one that would be too long, or that its reader has no memory left for, is not sent
   * (XSA-324, XSA-326).
   */
  event({ connection, token, hidden }: Watch, path: string, cause: Domain | null): void {
    const { id, domain, unread } = connection;
    const content = `${hidden === 0 ? path : path.slice(hidden)}\0${token}\0`;
    if (content.length > payloadMax) return;
    const reader = domain.privileged ? null : domain;
    const payer = cause?.privileged === false ? cause : null;
    if (reader === null && payer === null) unread.pass();
    else {
      const special = path.startsWith('@');
      if (!special && unread.has(content)) return;
      const bytes = headerLength + content.length;
      if (reader?.exceeds('memory', reader.used.memory + bytes) === true) return;
      unread.push(reader, payer, bytes, special ? null : content);
      if (reader !== null) this.note(reader);
      if (payer !== null) this.note(payer);
    }
    this.#outputs.push({
      kind: 'send',
      connection: id,
      packet: {
        type: messageTypes.WATCH_EVENT,
        requestId: 0,
        transactionId: 0,
        payload: bytesOf(content),
      },
    });
  }

  /** Has the clients wait who must, and those go on who need not wait any longer. */
  settle(): void {
    if (this.#changed.size === 0) return;
    for (const domain of this.#changed) {
      const held = domain.mustWait;
      if (held === domain.held) continue;
      domain.held = held;
      if (held && domain.credit > 0) domain.tellWhyHeld();
      for (const connection of domain.connections)
        this.#outputs.push({ kind: 'hold', connection, held });
    }
    this.#changed.clear();
  }
}
