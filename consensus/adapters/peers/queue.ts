import type { Message } from '../../core/message.ts';
import { wireSize } from './to-wire.ts';

/** Most of what waits for one member. Beyond, what Raft will send again anyway is dropped. */
export const queueBytesMax = 16 * 2 ** 20;
export const queueMessagesMax = 8192;

/** Most messages' size in one frame; one message alone may be larger. */
const frameBytesMax = 512 * 2 ** 10;

/** Messages for one member that could not be handed to its stream yet, oldest first. */
export class PeerQueue {
  #messages: Message[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** Adds a message. Returns whether something had to be dropped for it. */
  push(message: Message): boolean {
    this.#messages.push(message);
    this.#bytes += wireSize(message);
    let dropped = false;
    while (this.#bytes > queueBytesMax || this.#messages.length > queueMessagesMax) {
      const oldest = this.#messages.findIndex(isRepeated);
      const [gone] = this.#messages.splice(Math.max(0, oldest), 1);
      if (gone === undefined) break;
      this.#bytes -= wireSize(gone);
      dropped = true;
    }
    return dropped;
  }

  /** Takes as many messages as belong into one frame. */
  take(): readonly Message[] {
    let size = 0;
    let count = 0;
    for (const message of this.#messages) {
      size += wireSize(message);
      if (count > 0 && size > frameBytesMax) break;
      count += 1;
    }
    const taken = this.#messages.splice(0, count);
    for (const message of taken) this.#bytes -= wireSize(message);
    return taken;
  }

  /** Drops everything. Returns whether there was something. */
  clear(): boolean {
    const had = this.#messages.length > 0;
    this.#messages = [];
    this.#bytes = 0;
    return had;
  }
}

/** Whether the sender's core sends this again by itself before long. */
function isRepeated(message: Message): boolean {
  return (
    message.kind === 'append' || message.kind === 'heartbeat' || message.kind === 'snapshot-chunk'
  );
}
