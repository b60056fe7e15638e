import type { Message } from '../../core/message.ts';

type Commit = Message & { readonly kind: 'commit' };

/**
 * How long news of the commit index waits for a message that tells it too, in milliseconds. While
 * writes follow one another, nearly every one does: the next append. Followers then wake up once for
 * each write, not twice, and that is a third of what writing costs them.
 */
const patience = 3;

/** A member that has handed over a proposal within this time waits for the news itself. */
const eagerFor = 1000;

/** News of the commit index for one follower, which is held back for a moment. */
export class HeldCommit {
  readonly #release: (message: Commit) => void;
  #held: Commit | null = null;
  #timer: NodeJS.Timeout | null = null;
  #eagerUntil = 0;

  /** `release` sends the news once nothing else has told it. */
  constructor(release: (message: Commit) => void) {
    this.#release = release;
  }

  /** The follower waits for the outcome of a proposal, and probably will again. */
  proposed(): void {
    this.#eagerUntil = performance.now() + eagerFor;
  }

  /** What is to be sent now that this message came up: nothing, the message, or the news before it. */
  pass(message: Message): readonly Message[] {
    if (message.kind === 'commit' && performance.now() >= this.#eagerUntil) {
      this.#held = message;
      if (this.#timer === null) this.#timer = setTimeout(() => this.#expire(), patience);
      else this.#timer.refresh();
      return [];
    }
    const held = this.#held;
    this.#held = null;
    return held === null || tells(message, held) ? [message] : [held, message];
  }

  /** Forgets the news: the connection is gone. */
  clear(): void {
    this.#held = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #expire(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#release(held);
  }
}

/** Whether a message tells all that the news does. */
function tells(message: Message, { term, commit }: Commit): boolean {
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'commit':
      return message.term > term || message.commit >= commit;
    default:
      return false;
  }
}
