import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from '../core/error.ts';
import { textOf } from '../core/payload.ts';
import { controlDomain } from '../core/permissions.ts';
import { type MessageName, messageTypes, type Packet } from '../core/wire.ts';
import type { Attached } from './attached.ts';
import type { Daemon } from './daemon.ts';

/** Called with the path of a watch event. */
export type EventListener = (path: string) => void;

/**
 * A client in the daemon's own process, of domain 0. The daemon answers within the call, so that a
 * request returns its reply.
 */
export class LocalClient {
  readonly #attached: Attached;
  #reply: Packet | null = null;

  constructor(daemon: Daemon, onEvent: EventListener) {
    this.#attached = daemon.attach(controlDomain, {
      send: (packet) => {
        if (packet.type !== messageTypes.WATCH_EVENT) this.#reply = packet;
        else onEvent(textOf(packet.payload).split('\0')[0] ?? '');
      },
    });
  }

  request(
    name: MessageName,
    transactionId: number,
    payload: Uint8Array,
  ): Result<Uint8Array, XenstoreError> {
    this.#reply = null;
    this.#attached.request({ type: messageTypes[name], requestId: 0, transactionId, payload });
    // The reply leaves this process in ways that are not known here.
    this.#attached.leaving();
    const reply: Packet | null = this.#reply;
    if (reply === null) return fail('EINVAL');
    const { type, payload: answer } = reply as Packet;
    if (type !== messageTypes.ERROR) return ok(answer);
    return fail(textOf(answer).slice(0, -1) as XenstoreError);
  }

  disconnect(): void {
    this.#attached.disconnect();
  }
}
