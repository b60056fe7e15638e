import type { ByteString } from '../../consensus/kv/byte-string.ts';
import { inRange } from '../../consensus/kv/key-range.ts';
import type { Compare, DataCommand, Operation, RangeRequest } from '../../consensus/kv/request.ts';
import type { LeaseId } from '../../consensus/kv/version.ts';

/** A key at a revision, or the change that made it so; `version` 0 is a deletion. */
export interface Event {
  readonly key: ByteString;
  readonly value: string;
  readonly lease: bigint;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
}

/** What the naive store says: a failure's code, or an object with the fields of the real reply. */
export type NaiveReply = string | object;

type State = ReadonlyMap<string, Event>;

/**
 * The store's meaning in the plainest form, for tests to compare with: every revision is a whole
 * copy of the map, and everything is found by looking at everything.
 */
export class NaiveStore {
  /** `#states[r]` is the store at revision r. */
  #states: State[] = [new Map(), new Map()];
  #events: Event[] = [];
  #leases = new Map<bigint, { ttl: number; renewals: number }>();
  #members = new Map<number, Extract<DataCommand, { kind: 'describe' }>>();
  #alarms: Extract<DataCommand, { kind: 'raise' }>['alarm'][] = [];
  #compacted = 0;
  /** What the command that is being applied wrote so far. */
  #draft: Map<string, Event> = new Map();
  #written: Event[] = [];

  get revision(): number {
    return this.#states.length - 1;
  }

  get compacted(): number {
    return this.#compacted;
  }

  events(): readonly Event[] {
    return this.#events;
  }

  member(id: number): object | undefined {
    const known = this.#members.get(id);
    if (known === undefined) return undefined;
    return { member: id, name: known.name, clientUrls: known.clientUrls };
  }

  alarms(): readonly object[] {
    return this.#alarms;
  }

  leases(): object[] {
    return [...this.#leases].map(([id, { ttl, renewals }]) => {
      const held = [...this.#now().values()].filter((each) => each.lease === id);
      return { id, ttl, renewals, keys: held.map((each) => each.key).sort() };
    });
  }

  apply(command: DataCommand): NaiveReply {
    this.#draft = new Map(this.#now());
    this.#written = [];
    const reply = this.#run(command);
    if (this.#written.length > 0) {
      this.#states.push(this.#draft);
      this.#events.push(...this.#written);
    }
    if (typeof reply !== 'string' && command.kind === 'expire')
      return { ...reply, revision: this.revision };
    return reply;
  }

  /** Answers a range request on its own. */
  read(request: RangeRequest): NaiveReply {
    this.#draft = new Map(this.#now());
    this.#written = [];
    return this.#refusal(request) ?? this.#range(request);
  }

  #now(): State {
    return this.#states[this.revision] ?? new Map();
  }

  #head(): number {
    return this.revision + (this.#written.length > 0 ? 1 : 0);
  }

  #run(command: DataCommand): NaiveReply {
    const isData = !['renew', 'describe', 'raise', 'clear'].includes(command.kind);
    const alarms = this.#alarms.filter(({ cause }) => cause !== 'disk');
    if (isData && alarms.some(({ kind }) => kind === 'corrupt')) return 'corrupt';
    const hasPut = command.kind === 'grant' || JSON.stringify(command, text).includes('"put"');
    if (hasPut && alarms.some(({ kind }) => kind === 'no-space')) return 'no-space';
    switch (command.kind) {
      case 'put':
        if (command.lease !== 0n && !this.#leases.has(command.lease)) return 'lease-not-found';
        return this.#refusal(command) ?? this.#operate(command);
      case 'delete':
      case 'txn':
        return this.#refusal(command) ?? this.#operate(command);
      case 'compact':
        if (command.revision > this.revision) return 'future-revision';
        if (command.revision <= this.#compacted) return 'compacted';
        this.#compacted = command.revision;
        return { kind: 'compact', revision: this.revision };
      case 'grant':
        if (command.ttl > 9_000_000_000) return 'lease-ttl-too-large';
        if (this.#leases.has(command.id)) return 'lease-exists';
        this.#leases.set(command.id, { ttl: Math.max(2, command.ttl), renewals: 0 });
        return {
          kind: 'grant',
          revision: this.revision,
          id: command.id,
          ttl: Math.max(2, command.ttl),
        };
      case 'revoke':
        if (!this.#leases.has(command.id)) return 'lease-not-found';
        this.#revoke(command.id);
        return { kind: 'revoke', revision: this.#head() };
      case 'renew':
        return {
          kind: 'renew',
          revision: this.revision,
          ttls: command.ids.map((id) => {
            const lease = this.#leases.get(id);
            if (lease !== undefined) lease.renewals += 1;
            return lease?.ttl ?? 0;
          }),
        };
      case 'describe':
        this.#members.set(command.member, command);
        return { kind: 'describe', revision: this.revision };
      case 'expire':
        return this.#expire(command.leases);
      case 'raise':
        if (!this.#alarms.some((alarm) => JSON.stringify(alarm) === JSON.stringify(command.alarm)))
          this.#alarms.push(command.alarm);
        return { kind: 'raise', revision: this.revision };
      case 'clear': {
        const { member, kind, cause } = command.alarms;
        const cleared = this.#alarms.filter(
          (alarm) =>
            [alarm.member, null].includes(member) &&
            [alarm.kind, null].includes(kind) &&
            [alarm.cause, null].includes(cause),
        );
        this.#alarms = this.#alarms.filter((alarm) => !cleared.includes(alarm));
        return { kind: 'clear', revision: this.revision, cleared };
      }
    }
  }

  /** Each lease is a revision of its own. */
  #expire(leases: readonly { id: LeaseId; renewals: number }[]): object {
    const due = leases.filter(({ id, renewals }) => this.#leases.get(id)?.renewals === renewals);
    for (const { id } of due) {
      this.#revoke(id);
      if (this.#written.length === 0) continue;
      this.#states.push(this.#draft);
      this.#events.push(...this.#written);
      this.#draft = new Map(this.#now());
      this.#written = [];
    }
    return { kind: 'expire', revision: this.revision, expired: due.map(({ id }) => id) };
  }

  #revoke(id: LeaseId): void {
    const held = [...this.#draft.values()].filter((each) => each.lease === id);
    for (const { key } of held.sort((a, b) => (a.key < b.key ? -1 : 1))) this.#remove(key);
    this.#leases.delete(id);
  }

  #remove(key: ByteString): void {
    const mod = this.revision + 1;
    this.#draft.delete(key);
    this.#written.push({ key, value: '', lease: 0n, create: 0, mod, version: 0 });
  }

  #branch(operation: Extract<Operation, { kind: 'txn' }>): readonly Operation[] {
    return operation.compares.every((compare) => this.#holds(compare))
      ? operation.success
      : operation.failure;
  }

  /** Of a transaction, Puts are refused before Ranges. */
  #refusal(operation: Operation): string | null {
    const all = this.#chosen(operation);
    for (const kind of ['put', 'range'])
      for (const each of all) {
        const refusal = each.kind === kind ? this.#refusalOf(each) : null;
        if (refusal !== null) return refusal;
      }
    return null;
  }

  /** The operations that are done, in order. */
  #chosen(operation: Operation): Operation[] {
    if (operation.kind !== 'txn') return [operation];
    return this.#branch(operation).flatMap((each) => this.#chosen(each));
  }

  #refusalOf(operation: Operation): string | null {
    if (operation.kind === 'range') {
      if (operation.revision > this.revision) return 'future-revision';
      return operation.revision > 0 && operation.revision < this.#compacted ? 'compacted' : null;
    }
    if (operation.kind !== 'put') return null;
    const keeps = operation.ignoreLease || operation.ignoreValue;
    if (keeps && !this.#now().has(operation.key)) return 'key-not-found';
    const isUnknown = operation.lease !== 0n && !this.#leases.has(operation.lease);
    return isUnknown ? 'lease-not-found' : null;
  }

  #holds({ range, operand, operator }: Compare): boolean {
    const stored = [...this.#now().values()].filter((each) => inRange(range, each.key));
    const none = { value: '', lease: 0n, create: 0, mod: 0, version: 0 };
    if (stored.length === 0 && operand.target === 'value') return false;
    return (stored.length === 0 ? [none] : stored).every((each) => {
      const given =
        operand.target === 'lease'
          ? operand.lease
          : operand.target === 'value'
            ? operand.value
            : operand.number;
      const order = each[operand.target] < given ? -1 : each[operand.target] > given ? 1 : 0;
      return { equal: order === 0, 'not-equal': order !== 0, less: order < 0, greater: order > 0 }[
        operator
      ];
    });
  }

  /** Compares are of the store before the command. */
  #operate(operation: Operation): NaiveReply {
    switch (operation.kind) {
      case 'range':
        return this.#range(operation);
      case 'put': {
        const old = this.#draft.get(operation.key);
        const event = {
          key: operation.key,
          value: operation.ignoreValue ? (old?.value ?? '') : operation.value,
          lease: operation.ignoreLease ? (old?.lease ?? 0n) : operation.lease,
          create: old?.create ?? this.revision + 1,
          mod: this.revision + 1,
          version: (old?.version ?? 0) + 1,
        };
        this.#draft.set(operation.key, event);
        this.#written.push(event);
        const previous = operation.withPrevious ? (old ?? null) : null;
        return { kind: 'put', revision: this.revision + 1, previous };
      }
      case 'delete': {
        const doomed = this.#sorted(this.#draft).filter((each) =>
          inRange(operation.range, each.key),
        );
        for (const { key } of doomed) this.#remove(key);
        const previous = operation.withPrevious ? doomed : [];
        return { kind: 'delete', revision: this.#head(), deleted: doomed.length, previous };
      }
      case 'txn': {
        const branch = this.#branch(operation);
        const succeeded = branch === operation.success;
        const replies = branch.map((each) => this.#operate(each));
        return { kind: 'txn', revision: this.#head(), succeeded, replies };
      }
    }
  }

  #sorted(state: State): Event[] {
    return [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #range(request: RangeRequest): object {
    const isNow = request.revision === 0 || request.revision === this.#head();
    const state = isNow ? this.#draft : (this.#states[request.revision] ?? new Map());
    const all = this.#sorted(state).filter((each) => inRange(request.range, each.key));
    const { minModRevision, maxModRevision, maxCreateRevision, limit } = request;
    const matches = all
      .filter((each) => each.mod >= minModRevision)
      .filter((each) => maxModRevision === 0 || each.mod <= maxModRevision)
      .filter((each) => maxCreateRevision === 0 || each.create <= maxCreateRevision);
    const sign = request.descending ? -1 : 1;
    const by = request.sortTarget;
    matches.sort((a, b) => (a[by] < b[by] ? -sign : a[by] > b[by] ? sign : 0));
    const few = limit > 0 ? matches.slice(0, limit) : matches;
    return {
      kind: 'range',
      revision: this.#head(),
      keysOnly: request.keysOnly,
      versions: request.countOnly ? [] : few,
      more: !request.countOnly && few.length < matches.length,
      count: all.length,
    };
  }
}

/** What a number of 64 bits is in JSON. */
function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
