import type { Message } from '../../core/message.ts';
import { wireSize } from './to-wire.ts';

/**
 * How long a message waits for what follows it, in milliseconds. While writes follow one another, news
 * of the commit index is told by the next append too, and a follower that no majority depends on gets
 * several appends in one frame: it wakes up, writes and answers once for all of them.
 */
const patience = 3;

/** A member that has handed over a proposal, or a read, within this time waits for the outcome itself. */
const eagerFor = 1000;

/** What is held at most, in number and in size: under load nothing waits for the time to be over. */
export const heldMessagesMax = 16;
export const heldBytesMax = 64 * 2 ** 10;

/** Messages for one follower that are held back for a moment, oldest first. */
export class HeldMessages {
  readonly #release: (messages: readonly Message[]) => void;
  #held: Message[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #eagerUntil = 0;

  /** `release` sends what nothing has followed in time. */
  constructor(release: (messages: readonly Message[]) => void) {
    this.#release = release;
  }

  /** The follower waits for an outcome, and probably will again. */
  awaited(): void {
    this.#eagerUntil = performance.now() + eagerFor;
  }

  /**
   * What is to be sent now that this message came up, in order: nothing, or what was held and the
   * message. News of the commit index may always wait; the rest that may, if it is `unhurried`.
   */
  pass(message: Message, unhurried: boolean): readonly Message[] {
    const waits = mayWait(message, unhurried) && performance.now() >= this.#eagerUntil;
    if (!waits && this.#held.length === 0) return [message];
    this.#add(message);
    if (!waits || this.#held.length >= heldMessagesMax || this.#bytes >= heldBytesMax)
      return this.#take();
    if (this.#held.length > 1) return [];
    if (this.#timer === null) this.#timer = setTimeout(() => this.#expire(), patience);
    else this.#timer.refresh();
    return [];
  }

  /** Forgets what is held: the connection is gone. */
  clear(): void {
    this.#take();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #add(message: Message): void {
    const last = this.#held.at(-1);
    if (last !== undefined && tells(message, last)) {
      this.#held.pop();
      this.#bytes -= wireSize(last);
    }
    this.#held.push(message);
    this.#bytes += wireSize(message);
  }

  #take(): readonly Message[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return held;
  }

  #expire(): void {
    const held = this.#take();
    if (held.length > 0) this.#release(held);
  }
}

function mayWait({ kind }: Message, unhurried: boolean): boolean {
  switch (kind) {
    case 'commit':
      return true;
    case 'append':
    case 'heartbeat':
      return unhurried;
    default:
      return false;
  }
}

/** Whether a message tells all that the one before it does, which then need not be sent. */
function tells(message: Message, before: Message): boolean {
  if (message.term < before.term) return false;
  switch (before.kind) {
    case 'commit':
      return (
        (message.kind === 'append' || message.kind === 'heartbeat' || message.kind === 'commit') &&
        (message.term > before.term || message.commit >= before.commit)
      );
    case 'heartbeat':
      return (
        message.kind === 'heartbeat' &&
        message.term === before.term &&
        message.round >= before.round &&
        message.commit >= before.commit
      );
    default:
      return false;
  }
}
