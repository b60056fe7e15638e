import { present } from '../../../base/assert.ts';
import { bytes, milliseconds } from '../../../base/units.ts';
import {
  applyPersist,
  blankDisk,
  type MemoryDisk,
} from '../../../consensus/adapters/memory/log-store.ts';
import { configurationOf, membersOf } from '../../../consensus/core/configuration.ts';
import type { HardState, Proposal, SnapshotMeta } from '../../../consensus/core/entry.ts';
import { logIndex, type MemberId, memberId, term } from '../../../consensus/core/ids.ts';
import type { Input } from '../../../consensus/core/input.ts';
import type { MembershipChange } from '../../../consensus/core/membership.ts';
import type { Message } from '../../../consensus/core/message.ts';
import type { Outputs, Persist } from '../../../consensus/core/output.ts';
import {
  createRaft,
  emptyHardState,
  type Raft,
  type RaftLimits,
} from '../../../consensus/core/raft.ts';
import { recover } from '../../../consensus/core/recovery.ts';
import { step } from '../../../consensus/core/step.ts';

/** Limits that are easy to reckon with: time-outs from 100 to 200 ms, a heartbeat every 20. */
export const testLimits: RaftLimits = {
  electionTimeoutMin: milliseconds(100),
  electionTimeoutMax: milliseconds(200),
  heartbeatInterval: milliseconds(20),
  appendBytesMax: bytes(1000),
  appendEntriesMax: 10,
  inflightMessagesMax: 4,
  inflightBytesMax: bytes(4000),
  uncommittedBytesMax: bytes(4000),
  waitingReadsMax: 3,
  trailingEntries: 1,
  trailingBytes: bytes(1000),
};

/** Size of the pieces in which this pool's snapshots travel. */
const pieceBytes = 10;

/** What a snapshot's bytes are in tests: short, but several pieces. */
export function snapshotContent({ index }: SnapshotMeta): Buffer {
  return Buffer.from(`everything up to ${index}`);
}

/** Sees every step that a pool takes. */
export type StepObserver = (raft: Raft, outputs: Outputs) => void;

/**
 * Some members' cores, and what they have asked for: messages on their way, writes under way.
 * Nothing happens by itself; a test or a transcript says what does.
 */
export class CorePool {
  readonly limits: RaftLimits;
  readonly rafts = new Map<MemberId, Raft>();
  readonly disks = new Map<MemberId, MemoryDisk>();
  /** On their way, oldest first. */
  messages: Message[] = [];
  /** Not durable yet, oldest first. */
  readonly writes = new Map<MemberId, Persist[]>();
  readonly #observe: StepObserver;
  #numbers = 0;

  constructor(
    voters: number,
    limits: Partial<RaftLimits> = {},
    observe: StepObserver = () => {},
    learners: readonly MemberId[] = [],
  ) {
    this.limits = { ...testLimits, ...limits };
    this.#observe = observe;
    const ids = Array.from({ length: voters }, (_, i) => memberId(i + 1));
    const configuration = configurationOf(ids, learners);
    for (const id of membersOf(configuration)) this.disks.set(id, blankDisk(configuration));
    for (const id of this.disks.keys()) this.restart(id);
  }

  raft(id: number): Raft {
    return present(this.rafts.get(memberId(id)), `member ${id} is in the pool`);
  }

  disk(id: number): MemoryDisk {
    return present(this.disks.get(memberId(id)), `member ${id} is in the pool`);
  }

  /** Starts a member from what is durable; what it was writing is lost. */
  restart(id: MemberId): void {
    const disk = this.disk(id);
    const recovered = recover(disk.hardState, disk.snapshot, disk.base, disk.entries);
    disk.base = recovered.base;
    disk.entries = [...recovered.entries];
    this.rafts.set(id, createRaft(id, this.limits, recovered));
    this.writes.set(id, []);
  }

  /** Feeds a member, and keeps what it asks for. */
  step(id: number, ...inputs: readonly Input[]): Outputs {
    const raft = this.raft(id);
    const outputs = step(raft, inputs);
    this.#observe(raft, outputs);
    this.messages.push(...outputs.messages);
    if (outputs.persist !== null) this.#writesOf(raft.id).push(outputs.persist);
    for (const { to, term: at, snapshot, offset } of outputs.readChunks) {
      const content = snapshotContent(snapshot);
      const data = content.subarray(offset, offset + pieceBytes);
      const last = offset + data.byteLength === content.byteLength;
      const piece = { kind: 'snapshot-chunk', snapshot, offset, data, last } as const;
      this.messages.push({ from: raft.id, to, term: at, ...piece });
    }
    return outputs;
  }

  /** Time passes for a member. */
  tick(id: number, elapsed: number, jitter = 0): Outputs {
    return this.step(id, { kind: 'tick', elapsed: milliseconds(elapsed), jitter });
  }

  /** Proposes texts at a member. */
  propose(id: number, ...texts: readonly string[]): Outputs {
    const proposals = texts.map((text): Proposal => {
      this.#numbers += 1;
      return { id: { member: memberId(id), number: this.#numbers }, command: Buffer.from(text) };
    });
    return this.step(id, { kind: 'propose', proposals });
  }

  /** Lets a message arrive that nobody in the pool has sent. */
  receive(message: Message): Outputs {
    return this.step(message.to, { kind: 'message', message });
  }

  /** Asks for a change of the membership at a member. */
  change(id: number, change: MembershipChange): Outputs {
    this.#numbers += 1;
    return this.step(id, { kind: 'change', number: this.#numbers, change });
  }

  /** Starts a member that was added, with nothing on its disk. It knows who may lead. */
  join(id: number, voters: readonly number[] = [1, 2, 3]): void {
    this.disks.set(memberId(id), blankDisk(configurationOf(voters.map(memberId))));
    this.restart(memberId(id));
  }

  /** Makes a member's oldest writes durable: all of them, or so many. */
  persist(id: number, count = Number.POSITIVE_INFINITY): void {
    const writes = this.#writesOf(memberId(id));
    for (const persist of writes.splice(0, count)) {
      applyPersist(this.disk(id), persist);
      this.step(id, { kind: 'persisted', sequence: persist.sequence });
    }
  }

  /** Delivers the messages that are on their way now and pass the filter. */
  deliver(filter: (message: Message) => boolean = () => true): number {
    const chosen = this.messages.filter(filter);
    this.messages = this.messages.filter((message) => !chosen.includes(message));
    // Who was added and has not started yet hears nothing.
    const heard = chosen.filter(({ to }) => this.rafts.has(to));
    for (const message of heard) {
      const { storeChunk } = this.receive(message);
      if (storeChunk === null) continue;
      const { snapshot, offset, data, last } = storeChunk;
      if (last) this.disk(message.to).snapshot = snapshot;
      const received = offset + data.byteLength;
      this.step(message.to, { kind: 'chunk-stored', snapshot, received, last });
    }
    return chosen.length;
  }

  /** Loses the messages on their way that pass the filter. */
  drop(filter: (message: Message) => boolean = () => true): void {
    this.messages = this.messages.filter((message) => !filter(message));
  }

  /** Delivers and makes durable until nothing is left, for messages that pass the filter. */
  settle(filter: (message: Message) => boolean = () => true): void {
    for (let moved = true; moved; ) {
      moved = this.deliver(filter) > 0;
      for (const [id, writes] of this.writes) {
        if (writes.length === 0) continue;
        this.persist(id);
        moved = true;
      }
    }
  }

  /** Makes a member the leader of a term, with everybody's help. */
  elect(id: number): void {
    for (const other of this.rafts.values())
      if (other.id !== id) other.electionElapsed = this.limits.electionTimeoutMin;
    this.tick(id, this.limits.electionTimeoutMax);
    this.settle();
  }

  /** A member has made a snapshot of all that was handed out to it. */
  snapshot(id: number): Outputs {
    const { delivered, log } = this.raft(id);
    const at = present(log.termAt(delivered), 'what was handed out is in the log');
    const configuration = log.configurationAt(delivered);
    const snapshot: SnapshotMeta = { index: delivered, term: at, configuration };
    this.disk(id).snapshot = snapshot;
    return this.step(id, { kind: 'snapshot-made', snapshot });
  }

  #writesOf(id: MemberId): Persist[] {
    return present(this.writes.get(id), `member ${id} is in the pool`);
  }
}

/** A hard state, for tests that write a disk by hand. */
export function stateOf(at: number, vote: number | null): HardState {
  return {
    ...emptyHardState,
    term: term(at),
    vote: vote === null ? null : memberId(vote),
    commit: logIndex(0),
  };
}
