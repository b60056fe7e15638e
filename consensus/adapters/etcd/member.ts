import { randomBytes } from 'node:crypto';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Bytes } from '../../../base/units.ts';
import type { Input } from '../../../proto/codec.ts';
import type { ResponseHeader } from '../../../proto/gen/etcdserverpb.ts';
import { grows } from '../../kv/alarm-table.ts';
import { type Demand, isOfClients } from '../../kv/auth/rights.ts';
import { storeBounds } from '../../kv/bounds.ts';
import { type ByteString, bufferOf } from '../../kv/byte-string.ts';
import { encodeCommand } from '../../kv/command-codec.ts';
import type { CommandReply, StoreReply } from '../../kv/reply.ts';
import type { Command, PlainCommand } from '../../kv/request.ts';
import type { Store } from '../../kv/store.ts';
import type { LeaseId, Revision } from '../../kv/version.ts';
import type { MemberId, Replica, ReplicaError } from '../../replica.ts';
import type { SnapshotDescription } from '../snapshot-file.ts';
import { Capabilities, commandVersions, type VersionOf } from './capabilities.ts';
import {
  failures,
  type GrpcFailure,
  notCapable,
  replicaFailure,
  type Served,
  storeFailure,
} from './failures.ts';
import { encodeHeader } from './responses.ts';

/** What the API of one member is made of. */
export interface EtcdParts {
  readonly store: Store;
  readonly replica: Replica<StoreReply>;
  /** The same on all members of one pool; told to clients in every header. */
  readonly clusterId: bigint;
  /** How members' own addresses are shown to clients, who want URLs. */
  readonly peerScheme: 'http' | 'https';
  /** At this size of the store an alarm stops all members from taking what makes it larger. */
  readonly quota: Bytes;
  readonly versionOf: VersionOf;
}

type ReplyTo<Kind> = Extract<CommandReply, { readonly kind: Kind }>;

/** The store and its replica, as all services of the API use them. */
export class EtcdMember {
  readonly #parts: EtcdParts;
  /** Whom it acts for: a client, who may have no name; undefined: for itself. */
  readonly #user: ByteString | null | undefined;

  /** What all members can read. */
  readonly capabilities: Capabilities;

  constructor(parts: EtcdParts, user?: ByteString | null) {
    this.#parts = parts;
    this.#user = user;
    this.capabilities = new Capabilities(parts.replica, parts.versionOf);
  }

  /** The same member as a client may use it; null: a client who has no name. */
  as(user: ByteString | null): EtcdMember {
    return new EtcdMember(this.#parts, user);
  }

  /** Why the client is not served what it asks for, as rights are here now; null where it is. */
  refusal(demand: Demand | null): GrpcFailure | null {
    if (this.#user === undefined || !this.store.auth.enabled) return null;
    const refusal = this.store.refusal(this.#user, demand);
    return refusal === null ? null : storeFailure(refusal).error;
  }

  get store(): Store {
    return this.#parts.store;
  }

  get replica(): Replica<StoreReply> {
    return this.#parts.replica;
  }

  get peerScheme(): 'http' | 'https' {
    return this.#parts.peerScheme;
  }

  /** This member's id. */
  get id(): MemberId {
    return this.replica.status().member;
  }

  /** Whether the store has reached its quota. */
  get isFull(): boolean {
    return this.store.size >= this.#parts.quota;
  }

  /** Whether a store that was full has room again: a tenth of its quota, so that it is not soon full again. */
  get hasRoom(): boolean {
    return this.store.size < 0.9 * this.#parts.quota;
  }

  /** Whether this member's disk has no room: then the member takes no writes. */
  get isDiskFull(): boolean {
    return this.replica.status().disk === 'full';
  }

  /** The header of a response about `revision`. */
  readonly header = (revision: Revision): Input<ResponseHeader> => {
    const { member, term } = this.replica.status();
    return {
      clusterId: this.#parts.clusterId,
      memberId: BigInt(member),
      revision: BigInt(revision),
      raftTerm: BigInt(term),
    };
  };

  /** The same, encoded. */
  readonly encodedHeader = (revision: Revision): Uint8Array => {
    const { member, term } = this.replica.status();
    return encodeHeader(this.#parts.clusterId, member, revision, term);
  };

  /** The header of a response about what this member has now. */
  headerNow(): Input<ResponseHeader> {
    return this.header(this.store.revision);
  }

  /** What the store that is here now stands for. */
  describeSnapshot(): SnapshotDescription {
    const { appliedIndex, term } = this.replica.status();
    const pool = this.#parts.clusterId.toString(16).padStart(16, '0');
    return { pool, index: appliedIndex, term, revision: this.store.revision };
  }

  /**
   * Gets a command applied. What an alarm stands against is refused before; growth that meets the
   * quota raises the alarm first, as etcd does. `urgent`: also while the disk takes no writes.
   */
  async propose<Kind extends PlainCommand['kind']>(
    command: Extract<PlainCommand, { readonly kind: Kind }>,
    urgent = false,
  ): Promise<Served<ReplyTo<Kind>>> {
    const alarmed = this.store.alarms.refusal(command);
    if (alarmed !== null) return storeFailure(alarmed);
    if (this.isFull && grows(command)) {
      const alarm = { member: this.id, kind: 'no-space', cause: 'quota' } as const;
      const raised = await this.propose<'raise'>({ kind: 'raise', alarm });
      return raised.ok ? fail(failures.noSpace) : raised;
    }
    const capable = this.checkCapable(commandVersions[command.kind]);
    if (!capable.ok) return capable;
    const signed = this.#signed(command);
    const encoded = encodeCommand(signed);
    if (encoded.length > storeBounds.requestSize) return fail(failures.tooLarge);
    const proposed = await this.replica.propose(encoded, urgent);
    if (!proposed.ok) return replicaFailure(proposed.error.code);
    if (!proposed.value.ok) {
      const { error } = proposed.value;
      // Rights came to be enforced while the command was under way without a name.
      const cameTooLate = error === 'unauthenticated' && signed === command && this.#user !== null;
      return cameTooLate && this.store.auth.enabled ? this.propose(command) : storeFailure(error);
    }
    // A command's reply is of the command's kind.
    return ok(proposed.value.value as ReplyTo<Kind>);
  }

  /** A client's command with its name, where rights are enforced. */
  #signed(command: PlainCommand): Command {
    const user = this.#user;
    if (user === undefined || user === null || !this.store.auth.enabled) return command;
    const isNamed = isOfClients(command) || command.kind === 'compact';
    return isNamed ? { kind: 'asked', user, command } : command;
  }

  /** Refuses what a member is known to be too old for. */
  checkCapable(version: number): Served<void> {
    const older = this.capabilities.olderThan(version);
    if (older === null) return ok(undefined);
    const name = this.store.member(older)?.name;
    return fail(
      notCapable(name === undefined ? older.toString(16) : bufferOf(name).toString('utf8')),
    );
  }

  /** Resolves when a read of the store is linearizable. */
  async readBarrier(): Promise<Served<void>> {
    const reached: Result<void, ReplicaError> = await this.replica.readBarrier();
    return reached.ok ? reached : replicaFailure(reached.error.code);
  }
}

/** An id for a lease whose client left the choice to us: positive, as etcd's are. */
export function randomLeaseId(): LeaseId {
  const id = randomBytes(8).readBigInt64LE() & 0x7fff_ffff_ffff_ffffn;
  return (id === 0n ? 1n : id) as LeaseId;
}
