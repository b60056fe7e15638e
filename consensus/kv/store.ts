import { assert, unreachable } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Bytes, bytes } from '../../base/units.ts';
import { AlarmTable } from './alarm-table.ts';
import { AuthTable } from './auth/auth-table.ts';
import { type Demand, demandOf, isAllowed, isOfClients } from './auth/rights.ts';
import { storeBounds } from './bounds.ts';
import type { ByteString } from './byte-string.ts';
import { decodeCommand } from './command-codec.ts';
import type { StoreFailure } from './failure.ts';
import { History } from './history.ts';
import { type Lease, LeaseTable } from './lease-table.ts';
import { type MemberDescription, MemberTable } from './member-table.ts';
import { Mutation } from './mutation.ts';
import { checkRevision, readRange } from './range.ts';
import type { RangeReply, StoreReply, TxnReply } from './reply.ts';
import type { Command, PlainCommand, RangeRequest, TxnRequest } from './request.ts';
import { readSnapshot } from './snapshot-reader.ts';
import { snapshotChunks } from './snapshot-writer.ts';
import { hashVersions, type KvHash, type Turns } from './state-hash.ts';
import { checkLease, checkPut, planTxn, runTxn } from './txn.ts';
import { isReadOnly } from './validate.ts';
import type { LeaseId, Revision } from './version.ts';
import { WatchHub } from './watch-hub.ts';

/** Told, while a command is applied, what concerns the clock that runs beside the store. */
export interface LeaseObserver {
  /** A lease was granted or renewed: it lasts its whole TTL from now on. */
  onLeaseAlive(lease: Lease): void;
  onLeaseGone(id: LeaseId): void;
  /** The store was replaced by a snapshot's: forget all leases, and take these. */
  onLeasesReplaced(leases: Iterable<Lease>): void;
}

/**
 * The pool database's store: what the replicated log drives. It is deterministic: the same commands
 * in the same order make the same store on every member, revision by revision. It has etcd's
 * semantics (https://etcd.io/docs/v3.4/learning/api/).
 */
export class Store {
  #history = new History();
  #leases = new LeaseTable();
  #members = new MemberTable();
  #alarms = new AlarmTable();
  #auth = new AuthTable();
  readonly #hub = new WatchHub(() => this.#history);
  #observer: LeaseObserver | null = null;

  /** Where watchers are opened and read. */
  get watches(): WatchHub {
    return this.#hub;
  }

  /** The newest revision. */
  get revision(): Revision {
    return this.#history.revision;
  }

  /** The oldest revision that can be read, or 0. */
  get compacted(): Revision {
    return this.#history.compacted;
  }

  /** The memory that the store is taken to occupy. */
  get size(): Bytes {
    return bytes(this.#history.size + this.#leases.size);
  }

  /** Sets who is told of leases; the lease clock of this member. */
  observeLeases(observer: LeaseObserver): void {
    this.#observer = observer;
    observer.onLeasesReplaced(this.#leases.all());
  }

  /** Reads a range of the store as it is here now, or was at an earlier revision. */
  range(request: RangeRequest): Result<RangeReply, StoreFailure> {
    return readRange(this.#history, request);
  }

  /** Runs a transaction that cannot write, on the store as it is here now. */
  readTxn(txn: TxnRequest): Result<TxnReply, StoreFailure> {
    assert(isReadOnly(txn), 'a transaction that only reads');
    return this.#txn(txn);
  }

  lease(id: LeaseId): Lease | undefined {
    return this.#leases.get(id);
  }

  leases(): Iterable<Lease> {
    return this.#leases.all();
  }

  /** What a member of the pool database said of itself. */
  member(id: number): MemberDescription | undefined {
    return this.#members.get(id);
  }

  /** The alarms of all members; while there are some, every member refuses the same commands. */
  get alarms(): AlarmTable {
    return this.#alarms;
  }

  /** Who may do what, and whether that is enforced. */
  get auth(): AuthTable {
    return this.#auth;
  }

  /**
   * Why a user (null: who has no name) is not served what it asks for, as things are here now. Null
   * is asked for by who only needs a name.
   */
  refusal(
    user: ByteString | null,
    demand: Demand | null,
  ): Extract<StoreFailure, 'permission-denied' | 'unauthenticated'> | null {
    if (!this.#auth.enabled) return null;
    if (user === null) return 'unauthenticated';
    if (demand === null) return null;
    const rights = this.#auth.rights(user);
    if (rights === null) return 'permission-denied';
    const keysOf = (id: LeaseId) => this.#leases.get(id)?.keys ?? [];
    return isAllowed(rights, demand, keysOf) ? null : 'permission-denied';
  }

  /**
   * Hashes the versions of all keys up to a revision (0: now), in turns. Until it has ended, or was
   * left by `return`, nothing is freed.
   */
  hash(revision: Revision): Result<Turns<KvHash>, StoreFailure> {
    const refusal = checkRevision(this.#history, revision);
    if (refusal !== null) return fail(refusal);
    // As in etcd: what a compaction left of that revision alone is no whole.
    if (revision > 0 && revision <= this.compacted) return fail('compacted');
    return ok(hashVersions(this.#history, revision === 0 ? this.revision : revision));
  }

  /** Frees up to `limit` versions that a compaction gave up; returns whether more could be. */
  trim(limit: number): boolean {
    return this.#history.trim(limit);
  }

  /** Applies the next committed command of the log. Its position is of no concern here. */
  apply(_index: number, encoded: Uint8Array): StoreReply {
    const command = decodeCommand(encoded);
    assert(command.ok, command.ok ? '' : `the log holds a command that is none: ${command.error}`);
    const reply = this.#apply(command.value);
    this.#history.trim(storeBounds.trimPerCommand);
    return reply;
  }

  /** Only these members take part from here on: what others said of themselves is forgotten. */
  configured(members: readonly number[]): void {
    this.#members.keep(members);
  }

  /**
   * Whether `apply` can read this command, and the member `from` may propose it: what one says of
   * itself, nobody else does.
   */
  accepts(encoded: Uint8Array, from: number | null = null): boolean {
    const command = decodeCommand(encoded);
    if (!command.ok) return false;
    return from === null || command.value.kind !== 'describe' || command.value.member === from;
  }

  /**
   * Everything that the store holds now, in chunks with a checksum each. The chunks are made as they
   * are asked for, and show the store as it was at the call, whatever is applied in between. Read
   * them to the end, or leave by `break` or `return`: until then nothing is freed.
   */
  snapshot(): Iterable<Uint8Array> {
    return snapshotChunks(this.#history, this.#leases, this.#members, this.#alarms, this.#auth);
  }

  /** Replaces the store by a snapshot's. A damaged one is refused, and the store stays as it was. */
  restore(chunks: Iterable<Uint8Array>): Result<void, string> {
    const read = readSnapshot(chunks);
    if (!read.ok) return read;
    const delivered = this.revision;
    this.#history = read.value.history;
    this.#leases = read.value.leases;
    this.#members = read.value.members;
    this.#alarms = read.value.alarms;
    this.#auth = read.value.auth;
    this.#hub.rewind(delivered);
    this.#observer?.onLeasesReplaced(this.#leases.all());
    return ok(undefined);
  }

  /**
   * Goes on from a revision that is later by so many, and gives up the history before: for a store
   * that was saved. Whoever has seen what came after that, and is gone, must begin anew, and is told
   * so as of a compaction.
   */
  leap(revisions: number): void {
    this.#history.advance((this.revision + revisions) as Revision);
    this.#history.compact(this.revision);
    while (this.#history.trim(storeBounds.trimPerTurn));
  }

  /**
   * What a client asks for carries its name, and is judged by the rights that stand when it is
   * applied. One without a name was asked for while rights were not enforced: it came too late.
   */
  #apply(command: Command): StoreReply {
    if (command.kind !== 'asked')
      return this.#auth.enabled && isOfClients(command)
        ? fail('unauthenticated')
        : this.#perform(command);
    const refusal = this.refusal(command.user, demandOf(command.command));
    return refusal === null ? this.#perform(command.command) : fail(refusal);
  }

  #perform(command: PlainCommand): StoreReply {
    const alarmed = this.#alarms.refusal(command);
    if (alarmed !== null) return fail(alarmed);
    switch (command.kind) {
      case 'put': {
        // Alone, a Put's lease is looked at first; in a transaction, its key. As in etcd.
        const refusal =
          checkLease(this.#leases, command) ?? checkPut(this.#history, this.#leases, command);
        if (refusal !== null) return fail(refusal);
        return ok(this.#mutate((mutation) => mutation.put(command)));
      }
      case 'delete':
        return ok(this.#mutate((mutation) => mutation.delete(command)));
      case 'txn':
        return this.#txn(command);
      case 'compact':
        return this.#compact(command.revision);
      case 'grant':
        return this.#grant(command.id, command.ttl);
      case 'revoke':
        if (!this.#revoke(command.id)) return fail('lease-not-found');
        return ok({ kind: 'revoke', revision: this.revision });
      case 'renew':
        return ok({ kind: 'renew', revision: this.revision, ttls: this.#renew(command.ids) });
      case 'expire': {
        const due = command.leases.filter((each) => this.#isUnrenewed(each.id, each.renewals));
        const expired = due.map((each) => each.id);
        for (const id of expired) this.#revoke(id);
        return ok({ kind: 'expire', revision: this.revision, expired });
      }
      case 'describe': {
        const { member, name, clientUrls } = command;
        this.#members.set({ member, name, clientUrls });
        return ok({ kind: 'describe', revision: this.revision });
      }
      case 'raise':
        this.#alarms.raise(command.alarm);
        return ok({ kind: 'raise', revision: this.revision });
      case 'clear': {
        const cleared = this.#alarms.clear(command.alarms);
        return ok({ kind: 'clear', revision: this.revision, cleared });
      }
      case 'auth': {
        const refusal = this.#auth.apply(command.change);
        return refusal === null ? ok({ kind: 'auth', revision: this.revision }) : fail(refusal);
      }
      default:
        return unreachable(command);
    }
  }

  #mutate<Reply>(write: (mutation: Mutation) => Reply): Reply {
    const mutation = new Mutation(this.#history, this.#leases);
    const reply = write(mutation);
    this.#hub.publish(mutation.commit());
    return reply;
  }

  #txn(txn: TxnRequest): Result<TxnReply, StoreFailure> {
    const plan = planTxn(this.#history, this.#leases, txn);
    if (!plan.ok) return plan;
    return ok(this.#mutate((mutation) => runTxn(this.#history, mutation, plan.value)));
  }

  #compact(revision: Revision): StoreReply {
    if (revision > this.revision) return fail('future-revision');
    if (revision <= this.compacted) return fail('compacted');
    this.#history.compact(revision);
    return ok({ kind: 'compact', revision: this.revision });
  }

  #grant(id: LeaseId, ttl: number): StoreReply {
    if (ttl > storeBounds.leaseTtlMax) return fail('lease-ttl-too-large');
    if (this.#leases.get(id) !== undefined) return fail('lease-exists');
    const lease = this.#leases.grant(id, Math.max(ttl, storeBounds.leaseTtlMin));
    this.#observer?.onLeaseAlive(lease);
    return ok({ kind: 'grant', revision: this.revision, id, ttl: lease.ttl });
  }

  #renew(ids: readonly LeaseId[]): number[] {
    return ids.map((id) => {
      const lease = this.#leases.renew(id);
      if (lease === undefined) return 0;
      this.#observer?.onLeaseAlive(lease);
      return lease.ttl;
    });
  }

  #isUnrenewed(id: LeaseId, renewals: number): boolean {
    return this.#leases.get(id)?.renewals === renewals;
  }

  /** Deletes the lease's keys, in their order and at one revision, and the lease. */
  #revoke(id: LeaseId): boolean {
    const lease = this.#leases.get(id);
    if (lease === undefined) return false;
    const keys = [...lease.keys].sort();
    this.#leases.remove(id);
    this.#observer?.onLeaseGone(id);
    if (keys.length > 0) this.#mutate((mutation) => mutation.deleteKeys(keys));
    return true;
  }
}
