import type { Domain } from './domain.ts';
import type { DomainId } from './permissions.ts';

/** Something that was sent to a client and that it has not taken yet. */
interface Sent {
  /** Its place among all that was ever sent to this client, from 1 on. */
  readonly place: number;
  readonly bytes: number;
  /** Whose request it answers, or whose change it tells of; null where nobody pays for it. */
  readonly cause: Domain | null;
  /** An event's path and token; null for a reply. */
  readonly event: string | null;
}

/** What a client has not taken: see `StoreDump`. */
export interface UnreadDump {
  readonly sent: number;
  readonly taken: number;
  readonly queue: readonly SentDump[];
}

/** Something that was sent: see `StoreDump`. */
interface SentDump {
  readonly place: number;
  readonly bytes: number;
  /** Null also where who caused it is gone. */
  readonly cause: DomainId | null;
  readonly event: string | null;
}

/**
 * What a client has not taken: it, and whoever caused it, pays until it does (XSA-326). Only what
 * somebody pays for is remembered, so that the control domain's own traffic costs nothing here.
 */
export class Unread {
  #sent = 0;
  #taken = 0;
  #queue: Sent[] = [];
  #head = 0;
  readonly #events = new Set<string>();

  /** What another store has dumped; `find` says which domain one is that pays. */
  static from(
    { sent, taken, queue }: UnreadDump,
    find: (id: DomainId) => Domain | undefined,
  ): Unread {
    const unread = new Unread();
    unread.#sent = sent;
    unread.#taken = taken;
    for (const { place, bytes, cause, event } of queue) {
      const payer = cause === null ? null : (find(cause) ?? null);
      unread.#queue.push({ place, bytes, cause: payer, event });
      if (event !== null) unread.#events.add(event);
    }
    return unread;
  }

  /** Everything about it: see `StoreDump`. Who is gone pays for nothing. */
  dump(find: (id: DomainId) => Domain | undefined): UnreadDump {
    const queue = this.#queue.slice(this.#head).map(({ place, bytes, cause, event }) => {
      const alive = cause !== null && find(cause.id) === cause;
      return { place, bytes, cause: alive ? cause.id : null, event };
    });
    return { sent: this.#sent, taken: this.#taken, queue };
  }

  /** Whether anybody waits for the client to take something. */
  get awaited(): boolean {
    return this.#head < this.#queue.length;
  }

  /** Whether the same event is on its way already. */
  has(event: string): boolean {
    return this.#events.has(event);
  }

  /** Something is sent that nobody pays for. */
  pass(): void {
    this.#sent += 1;
  }

  /** Something is sent that `reader`, if it is not null, and `cause`, if not null, pay for. */
  push(reader: Domain | null, cause: Domain | null, bytes: number, event: string | null): void {
    this.#sent += 1;
    this.#queue.push({ place: this.#sent, bytes, cause, event });
    reader?.use('memory', bytes);
    cause?.use('outstanding', 1);
    if (event !== null) this.#events.add(event);
  }

  /** The client has taken so many packets more; calls `changed` for each domain that pays less now. */
  taken(packets: number, reader: Domain | null, changed: (domain: Domain) => void): void {
    this.#taken = Math.min(this.#taken + packets, this.#sent);
    for (;;) {
      const next = this.#queue[this.#head];
      if (next === undefined || next.place > this.#taken) break;
      this.#head += 1;
      if (next.event !== null) this.#events.delete(next.event);
      reader?.use('memory', -next.bytes);
      next.cause?.use('outstanding', -1);
      if (reader !== null) changed(reader);
      if (next.cause !== null) changed(next.cause);
    }
    if (this.#head * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }

  /** Everything that is on its way is gone, and paid for. */
  clear(reader: Domain | null, changed: (domain: Domain) => void): void {
    this.taken(this.#sent - this.#taken, reader, changed);
  }
}
