import type { MemberId } from '../../core/ids.ts';
import type { Message } from '../../core/message.ts';
import type { PeerReceiver, PeerTransport } from '../../ports.ts';

/** A network between members of one process: everything arrives, in order, in a later turn. */
export class MemoryNetwork {
  readonly #receivers = new Map<MemberId, PeerReceiver>();

  /** The transport of one member. A member that starts again takes the place of its former self. */
  transport(member: MemberId): PeerTransport {
    return {
      send: (messages) => this.#deliver(messages),
      attach: (receiver) => {
        this.#receivers.set(member, receiver);
      },
      configure: () => {},
      refuse: () => {},
    };
  }

  /** Cuts a member off; what is sent to it is lost. */
  detach(member: MemberId): void {
    this.#receivers.delete(member);
  }

  #deliver(messages: readonly Message[]): void {
    for (const message of messages)
      setImmediate(() => this.#receivers.get(message.to)?.receive([message]));
  }
}
