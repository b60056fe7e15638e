import type { Random } from '../base/random.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { type Configuration, membersOf } from './core/configuration.ts';
import type { Entry, SnapshotMeta } from './core/entry.ts';
import type { LogIndex, MemberId } from './core/ids.ts';
import type { Input } from './core/input.ts';
import type { MembershipChange } from './core/membership.ts';
import type { Message } from './core/message.ts';
import type { Outputs } from './core/output.ts';
import { createRaft, type Raft } from './core/raft.ts';
import { step } from './core/step.ts';
import { acceptable } from './driver/acceptable.ts';
import { ReadBarriers } from './driver/barriers.ts';
import { ChangeBook } from './driver/changes.ts';
import { DiskWatch } from './driver/disk-watch.ts';
import { Handover } from './driver/handover.ts';
import { Intake } from './driver/intake.ts';
import type { NodeLimits } from './driver/limits.ts';
import { numbers } from './driver/numbers.ts';
import { type Extent, Pace } from './driver/pace.ts';
import { noLeader, ProposalBook } from './driver/proposals.ts';
import { Recipients } from './driver/recipients.ts';
import { SnapshotKeeper } from './driver/snapshots.ts';
import { followersOf, isSame, statusOf } from './driver/status.ts';
import { type DiskState, Writer } from './driver/writer.ts';
import type { Clock, LogStore, PeerTransport, StoreError } from './ports.ts';
import type {
  FollowerStatus,
  MembershipError,
  Replica,
  ReplicaError,
  ReplicaStatus,
  StateMachine,
} from './replica.ts';

/** What a member is made of. The node becomes the owner of the store, not of the rest. */
export interface NodeParts<Reply> {
  readonly id: MemberId;
  readonly store: LogStore;
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly machine: StateMachine<Reply>;
  readonly limits: NodeLimits;
  /** Sees every step, for tests and for tracing. */
  readonly observe?: (raft: Raft, inputs: readonly Input[], outputs: Outputs) => void;
}

/** One running member: it feeds the core with what happens, and does what the core asks for. */
export class Node<Reply> implements Replica<Reply> {
  readonly #parts: NodeParts<Reply>;
  readonly #raft: Raft;
  readonly #proposals: ProposalBook<Reply>;
  readonly #changes: ChangeBook;
  readonly #handover: Handover;
  readonly #barriers: ReadBarriers;
  readonly #recipients = new Recipients();
  readonly #disk: DiskWatch;
  readonly #writer: Writer;
  readonly #snapshots: SnapshotKeeper<Reply>;
  readonly #listeners = new Set<(status: ReplicaStatus) => void>();
  readonly #intake: Intake<Reply>;
  readonly #pace: Pace;
  #applied: LogIndex;
  #announced: ReplicaStatus;
  #stopped: ReplicaError | null = null;
  #stopTicking: () => void;

  private constructor(parts: NodeParts<Reply>) {
    const { id, store, transport, clock, random, machine, limits } = parts;
    const number = numbers(store.incarnation);
    this.#parts = parts;
    this.#raft = createRaft(id, limits, store.recovered);
    this.#proposals = new ProposalBook(id, limits, number);
    this.#changes = new ChangeBook(id, limits, number);
    this.#handover = new Handover(limits);
    this.#barriers = new ReadBarriers(limits, number);
    this.#disk = new DiskWatch(limits);
    this.#writer = new Writer(store, clock, limits, {
      durable: (sequence) => this.#feed({ kind: 'persisted', sequence }),
      disk: (state, error) => this.#diskChanged(state, error),
    });
    this.#snapshots = new SnapshotKeeper(store, machine, limits, {
      input: (input) => this.#feed(input),
      send: (message) => transport.send([message]),
    });
    this.#applied = this.#raft.delivered;
    this.#announced = this.status();
    const [proposals, changes, barriers] = [this.#proposals, this.#changes, this.#barriers];
    this.#intake = new Intake({ clock, random, limits, proposals, changes, barriers });
    this.#pace = new Pace(clock, (extent) => this.#run(extent));
    this.#stopTicking = () => {};
  }

  /**
   * Starts a member from what its store has. Fails, with a sentence for the operator, if the
   * newest snapshot cannot be read.
   */
  static start<Reply>(parts: NodeParts<Reply>): Result<Node<Reply>, string> {
    const node = new Node(parts);
    const { snapshot } = parts.store.recovered;
    const failure = snapshot.index === 0 ? null : node.#snapshots.restore(snapshot);
    if (failure !== null) return fail(failure);
    parts.transport.attach({
      receive: (messages) => {
        for (const message of messages) node.#receive(message);
      },
      unreachable: (member) => node.#feed({ kind: 'unreachable', member }),
    });
    node.#configure();
    node.#stopTicking = parts.clock.every(parts.limits.tickInterval, () => node.#tick());
    node.#pace.schedule();
    return ok(node);
  }

  propose(command: Uint8Array, urgent = false): Promise<Result<Reply, ReplicaError>> {
    const refusal = this.#stopped ?? (urgent ? null : this.#disk.refusal);
    if (refusal !== null) return Promise.resolve(fail(refusal));
    this.#next(this.#proposals.isIdle);
    return this.#proposals.propose(command, this.#parts.clock.now());
  }

  readBarrier(): Promise<Result<void, ReplicaError>> {
    if (this.#stopped !== null) return Promise.resolve(fail(this.#stopped));
    this.#next(this.#barriers.isIdle);
    return this.#barriers.wait(this.#parts.clock.now());
  }

  status(): ReplicaStatus {
    return statusOf(this.#raft, this.#applied, this.#disk.state);
  }

  followers(): readonly FollowerStatus[] {
    return followersOf(this.#raft);
  }

  onStatus(listener: (status: ReplicaStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How the disk is, and why. */
  disk(): { readonly state: DiskState; readonly error: StoreError | null } {
    const { state, error } = this.#disk;
    return { state, error };
  }

  transferLeadership(to: MemberId): Promise<Result<void, MembershipError>> {
    if (this.#stopped !== null) return Promise.resolve(fail(this.#stopped));
    if (this.#raft.role === 'leader' && to === this.#raft.id) return Promise.resolve(ok(undefined));
    const refusal = this.#handover.refusal(this.#raft, to);
    if (refusal !== null) return Promise.resolve(fail(refusal));
    this.#feed({ kind: 'transfer', to });
    return this.#handover.wait(this.#raft, to, this.#parts.clock.now());
  }

  changeMembership(change: MembershipChange): Promise<Result<Configuration, MembershipError>> {
    const refusal = this.#stopped ?? this.#disk.refusal;
    if (refusal !== null) return Promise.resolve(fail(refusal));
    if (this.#raft.leader === null) return Promise.resolve(fail(noLeader));
    this.#pace.schedule();
    return this.#changes.request(change, this.#parts.clock.now());
  }

  /** Stops at once; what was proposed may yet take effect. Done when the store is closed. */
  async stop(): Promise<void> {
    if (this.#stopped !== null) return;
    this.#end({ code: 'stopped', detail: 'this member is shutting down' });
    await this.#writer.stop();
    await this.#parts.store.close();
  }

  #end(reason: ReplicaError): void {
    this.#stopped = reason;
    this.#pace.stop();
    this.#stopTicking();
    this.#proposals.abandon(reason);
    this.#changes.abandon(reason);
    this.#handover.abandon(reason);
    this.#barriers.abandon(reason);
  }

  #tick(): void {
    const now = this.#parts.clock.now();
    this.#intake.passTime(now);
    this.#proposals.expire(now);
    this.#proposals.retry();
    this.#changes.expire(now);
    this.#handover.expire(now);
    const successor = this.#disk.successor(this.#raft, now);
    if (successor !== null) this.#intake.push({ kind: 'transfer', to: successor });
    this.#barriers.expire(now);
    this.#pace.schedule();
  }

  #receive(message: Message): void {
    const { machine, limits, transport } = this.#parts;
    const accepted = acceptable(message, machine, limits);
    if (accepted.ok) this.#feed({ kind: 'message', message: accepted.value });
    else transport.refuse(message.from, accepted.error);
  }

  #feed(input: Input): void {
    this.#intake.push(input);
    this.#pace.hurry('arrived');
  }

  /**
   * A step for what is asked for here. The first of several does not wait for the others: they gather
   * while it is under way. So who asks for one thing after another does not wait for nothing.
   */
  #next(isIdle: boolean): void {
    if (isIdle) this.#pace.hurry('all');
    else this.#pace.schedule();
  }

  #run(extent: Extent): void {
    const { leader } = this.#raft;
    const inputs = this.#intake.gather(extent, this.#raft);
    const outputs = step(this.#raft, inputs);
    this.#parts.observe?.(this.#raft, inputs, outputs);
    this.#perform(outputs);
    this.#handover.stepped(this.#raft);
    if (this.#raft.leader !== leader) {
      this.#proposals.retry();
      this.#barriers.askAnew();
    }
    this.#announce();
    if (this.#intake.hasWaiting && this.#raft.leader !== null) this.#pace.schedule();
  }

  #perform(outputs: Outputs): void {
    const { transport, store } = this.#parts;
    if (outputs.lost !== null) {
      this.#fail(outputs.lost);
      return;
    }
    for (const { from, detail } of outputs.contradictions) transport.refuse(from, detail);
    if (outputs.persist !== null) this.#writer.write(outputs.persist);
    if (outputs.messages.length > 0) transport.send(outputs.messages, outputs.unhurried);
    for (const chunk of outputs.readChunks) void this.#snapshots.send(this.#raft, chunk);
    if (outputs.storeChunk !== null) void this.#snapshots.store(outputs.storeChunk);
    if (outputs.restore !== null && !this.#restore(outputs.restore)) return;
    this.#apply(outputs.committed);
    for (const { id, reason } of outputs.refusedProposals)
      this.#proposals.refused(id.number, reason);
    for (const { number, reason } of outputs.refusedChanges) this.#changes.refused(number, reason);
    for (const { id, index } of outputs.reads) this.#barriers.answer(id, index);
    for (const { id, reason } of outputs.refusedReads) this.#barriers.refused(id, reason);
    this.#barriers.applied(this.#applied);
    if (outputs.compacted !== null) store.compact(outputs.compacted);
  }

  /** A snapshot came from the leader. One that cannot be read stops this member. */
  #restore(snapshot: SnapshotMeta): boolean {
    const failure = this.#snapshots.restore(snapshot);
    if (failure !== null) {
      this.#fail(`the snapshot could not be read: ${failure}`);
      return false;
    }
    this.#applied = snapshot.index;
    this.#proposals.replaced(snapshot);
    this.#changes.replaced(snapshot);
    return true;
  }

  /** What this member has is not what it should have: going on could lose what was acknowledged. */
  #fail(detail: string): void {
    this.#disk.changed('failed', { code: 'damaged', detail });
    this.#end({ code: 'stopped', detail });
  }

  #apply(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    for (const { index, payload } of entries) {
      if (payload.kind === 'command') {
        const reply = this.#parts.machine.apply(index, payload.proposal.command);
        this.#proposals.applied(payload.proposal, reply);
      } else if (payload.kind === 'configuration')
        this.#parts.machine.configured?.(membersOf(payload.configuration));
      this.#applied = index;
    }
    this.#proposals.advanced(last);
    this.#changes.applied(entries);
    this.#snapshots.applied(this.#raft, entries);
  }

  #diskChanged(state: DiskState, error: StoreError | null): void {
    this.#disk.changed(state, error);
    this.#pace.schedule();
  }

  #announce(): void {
    this.#configure();
    if (isSame(this.#raft, this.#disk.state, this.#announced)) return;
    const status = this.status();
    this.#announced = status;
    for (const listener of this.#listeners) listener(status);
  }

  #configure(): void {
    const recipients = this.#recipients.update(this.#raft);
    if (recipients !== null)
      this.#parts.transport.configure(recipients, this.#raft.log.configurationIndex);
  }
}
