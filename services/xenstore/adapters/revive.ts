import { fail, ok, type Result } from '../../../base/result.ts';
import type { ConnectionId } from '../core/domain.ts';
import type { Question } from '../core/input.ts';
import { domainsNamed } from '../core/named.ts';
import type { DomainId } from '../core/permissions.ts';
import { type Input, type Output, Store } from '../core/store.ts';
import type { Packet } from '../core/wire.ts';
import type { SocketLink } from '../migration/image.ts';
import { RingReplay } from '../rings/replay.ts';
import type { RingPlace } from './attached.ts';
import type { Past } from './journal.ts';
import type { Entry } from './journal-entries.ts';

/** A ring that is there, and where it stood. */
export interface RevivedRing {
  readonly place: RingPlace;
  readonly boundPort: number;
  readonly replay: RingReplay;
}

/** A xenstored as it was when it was killed, or has handed over. */
export interface Revived {
  readonly store: Store;
  readonly nextConnection: ConnectionId;
  readonly rings: ReadonlyMap<ConnectionId, RevivedRing>;
  /** Connections that are not on rings, and those of them whose descriptors a process may have. */
  readonly clients: ReadonlySet<ConnectionId>;
  readonly links: ReadonlyMap<ConnectionId, SocketLink>;
}

/** What of the hypervisor a revival needs. */
export interface ReviveOptions {
  /** Whether there is a hypervisor that knows which domains exist. */
  readonly hypervisor: boolean;
  /** Asked where the process was killed before it could keep the answer. */
  exists(domain: DomainId): boolean;
  /** Keeps that answer. */
  note(entry: Entry): void;
}

/**
 * Makes a xenstored again of a snapshot and of what has happened since: everything is told to the store
 * and to the rings again, and what was sent then is sent again, to rings without a page. The failure is
 * a sentence.
 */
export function revive(past: Past, options: ReviveOptions): Result<Revived, string> {
  try {
    return new Revival(past, options).run();
  } catch (error) {
    // The journal is whole, and what it says cannot be: another release has written it, or this one errs.
    const what = error instanceof Error ? error.message : String(error);
    return fail(
      `what the journal says cannot have been: ${what}; what to do: start the release that has written it`,
    );
  }
}

class Revival {
  readonly #past: Past;
  readonly #options: ReviveOptions;
  readonly #store: Store;
  readonly #rings = new Map<ConnectionId, RevivedRing>();
  readonly #clients = new Set<ConnectionId>();
  readonly #links = new Map<ConnectionId, SocketLink>();
  readonly #questions = new Map<number, Question>();
  #nextConnection: ConnectionId;
  /** The next entry, where one was looked at and not taken. */
  #ahead: Entry | null = null;
  #fault: string | null = null;
  readonly #inputs: Input[] = [];

  constructor(past: Past, options: ReviveOptions) {
    this.#past = past;
    this.#options = options;
    const { image } = past;
    const { hypervisor } = options;
    this.#store = image === null ? new Store({ hypervisor }) : Store.from(image.store, options);
    this.#nextConnection = image?.nextConnection ?? 1;
    for (const { ticket, question } of image?.store.waiting ?? [])
      this.#questions.set(ticket, question);
    for (const { id } of image?.store.connections ?? []) {
      const link = image?.links.get(id);
      if (link?.kind === 'ring')
        this.#rings.set(id, {
          place: link.place,
          boundPort: link.boundPort,
          replay: new RingReplay(link.state),
        });
      else this.#clients.add(id);
      if (link?.kind === 'socket') this.#links.set(id, link);
    }
  }

  run(): Result<Revived, string> {
    for (let entry = this.#peek(); entry !== null; entry = this.#peek()) {
      this.#ahead = null;
      this.#take(entry);
    }
    if (this.#fault !== null) return fail(this.#fault);
    return ok({
      store: this.#store,
      nextConnection: this.#nextConnection,
      rings: this.#rings,
      clients: this.#clients,
      links: this.#links,
    });
  }

  /** The next entry, which stays the next one. */
  #peek(): Entry | null {
    if (this.#ahead !== null || this.#fault !== null) return this.#ahead;
    const next = this.#past.next();
    if (!next.ok) this.#fault = next.error;
    this.#ahead = next.ok ? next.value : null;
    return this.#ahead;
  }

  #take(entry: Entry): void {
    switch (entry.kind) {
      case 'connect':
        this.#clients.add(entry.connection);
        this.#count(entry.connection);
        this.#step(entry);
        return;
      case 'disconnect':
        this.#clients.delete(entry.connection);
        this.#links.delete(entry.connection);
        this.#step(entry);
        return;
      case 'request':
        this.#request(entry.connection, entry.packet);
        return;
      case 'taken':
        this.#rings.get(entry.connection)?.replay.taken(entry.packets);
        this.#step(entry);
        return;
      case 'received':
        for (const packet of this.#ring(entry.connection).received(entry.bytes))
          if (this.#rings.has(entry.connection)) this.#request(entry.connection, packet);
        return;
      case 'reset':
        this.#ring(entry.connection).reset('of the guest');
        this.#step({ kind: 'reset', connection: entry.connection });
        return;
      case 'broken':
        this.#ring(entry.connection).broken(entry.fault);
        this.#step({ kind: 'reset', connection: entry.connection });
        return;
      case 'ready':
        this.#ring(entry.connection).ready();
        return;
      case 'zeroed':
        this.#ring(entry.connection).zeroed();
        return;
      case 'introduce': {
        const mapped = this.#peek();
        if (mapped?.kind !== 'mapped' || mapped.ticket !== 0) return;
        this.#ahead = null;
        this.#map(entry.place, mapped);
        const { domain } = entry.place;
        this.#step({ kind: 'introduced', domain, connection: mapped.connection });
        return;
      }
      case 'mapped':
      case 'not-mapped':
        this.#mapped(entry);
        return;
      case 'exists':
        if (entry.exists) this.#step({ kind: 'domain-exists', domain: entry.domain });
        return;
      case 'domain-gone':
      case 'domain-shutdown':
      case 'answer':
      case 'second':
        this.#step(entry);
        return;
    }
  }

  #count(connection: ConnectionId): void {
    this.#nextConnection = Math.max(this.#nextConnection, connection + 1);
  }

  #ring(connection: ConnectionId): RingReplay {
    const ring = this.#rings.get(connection);
    if (ring === undefined) throw new RangeError(`connection ${connection} is on no ring`);
    return ring.replay;
  }

  #request(connection: ConnectionId, packet: Packet): void {
    for (const domain of this.#options.hypervisor ? domainsNamed(packet) : [])
      if (this.#store.domains.find(domain) === undefined && this.#exists(domain))
        this.#step({ kind: 'domain-exists', domain });
    this.#step({ kind: 'request', connection, packet });
  }

  #exists(domain: DomainId): boolean {
    const next = this.#peek();
    if (next?.kind === 'exists' && next.domain === domain) {
      this.#ahead = null;
      return next.exists;
    }
    const exists = this.#options.exists(domain);
    this.#options.note({ kind: 'exists', domain, exists });
    return exists;
  }

  /** As a daemon does: an input that comes of an output is taken when all outputs are done. */
  #step(input: Input): void {
    this.#inputs.push(input);
    if (this.#inputs.length > 1) return;
    for (let next: Input | undefined = input; next !== undefined; next = this.#inputs[0]) {
      for (const output of this.#store.step(next)) this.#do(output);
      this.#inputs.shift();
    }
  }

  #do(output: Output): void {
    switch (output.kind) {
      case 'send':
        this.#rings.get(output.connection)?.replay.send(output.packet);
        return;
      case 'close':
        this.#rings.delete(output.connection);
        this.#clients.delete(output.connection);
        return;
      case 'rebind': {
        const ring = this.#rings.get(output.connection);
        if (ring === undefined) return;
        ring.replay.reset('of an introduction');
        const place = { ...ring.place, port: output.port };
        this.#rings.set(output.connection, { ...ring, place });
        return;
      }
      case 'ask': {
        this.#questions.set(output.ticket, output.question);
        if (output.question.kind !== 'map') return;
        const next = this.#peek();
        if (next?.kind !== 'mapped' && next?.kind !== 'not-mapped') return;
        if (next.ticket !== output.ticket) return;
        this.#ahead = null;
        this.#mapped(next);
        return;
      }
      case 'hold':
      case 'wake':
      case 'quota-exceeded':
        return;
    }
  }

  #mapped(entry: Extract<Entry, { kind: 'mapped' | 'not-mapped' }>): void {
    const { ticket } = entry;
    const question = this.#questions.get(ticket);
    if (question?.kind !== 'map') throw new RangeError(`question ${ticket} is about no ring`);
    if (entry.kind === 'not-mapped') {
      this.#step({ kind: 'answer', ticket, answer: { kind: 'refused', error: entry.error } });
      return;
    }
    const { domain, gfn, port, features } = question;
    this.#map({ domain, gfn, port, features }, entry);
    const { connection } = entry;
    this.#step({ kind: 'answer', ticket, answer: { kind: 'mapped', connection } });
  }

  #map(place: RingPlace, entry: Extract<Entry, { kind: 'mapped' }>): void {
    const { connection, consumed, produced } = entry;
    this.#count(connection);
    const replay = new RingReplay({
      received: new Uint8Array(0),
      unsent: { bytes: new Uint8Array(0), rest: 0 },
      consumed,
      consumedBefore: consumed,
      produced,
      ended: 0,
      fault: null,
      resetting: null,
    });
    this.#rings.set(connection, { place, boundPort: 0, replay });
  }
}
