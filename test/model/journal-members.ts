import { seededRandom } from '../../base/random.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { systemClock } from '../../consensus/adapters/clock.ts';
import { type MemoryDisk, MemoryLogStore } from '../../consensus/adapters/memory/log-store.ts';
import type { MemoryNetwork } from '../../consensus/adapters/memory/peers.ts';
import type { LogIndex, MemberId } from '../../consensus/core/ids.ts';
import type { Input } from '../../consensus/core/input.ts';
import { defaultLimits, type NodeLimits } from '../../consensus/driver/limits.ts';
import { Node } from '../../consensus/node.ts';
import type { ReplicaStatus, StateMachine } from '../../consensus/replica.ts';

/**
 * A state machine that remembers every command, and answers how many there were. It also remembers
 * who took part, in the order in which it was told.
 */
export class Journal implements StateMachine<number> {
  lines: string[] = [];
  readonly configurations: (readonly MemberId[])[] = [];

  apply(_index: LogIndex, command: Uint8Array): number {
    this.lines.push(Buffer.from(command).toString());
    return this.lines.length;
  }

  configured(members: readonly MemberId[]): void {
    this.configurations.push(members);
  }

  snapshot(): Iterable<Uint8Array> {
    return this.lines.map((line) => Buffer.from(line));
  }

  restore(chunks: Iterable<Uint8Array>): Result<void, string> {
    this.lines = [...chunks].map((chunk) => Buffer.from(chunk).toString());
    return this.lines.includes('') ? fail('an empty line') : ok(undefined);
  }
}

/** A member of a pool in one process, and what it has applied. */
export interface Member {
  readonly node: Node<number>;
  readonly journal: Journal;
}

/** Starts a member from a disk in memory. */
export function startMember(
  id: MemberId,
  disk: MemoryDisk,
  network: MemoryNetwork,
  limits: NodeLimits = defaultLimits,
): Member {
  return startWith(id, new MemoryLogStore(disk), network, limits);
}

/** Starts a member with a store of the test's own; `observe` sees what goes into its steps. */
export function startWith(
  id: MemberId,
  store: MemoryLogStore | undefined,
  network: MemoryNetwork,
  limits: NodeLimits,
  observe: (inputs: readonly Input[]) => void = () => {},
): Member {
  if (store === undefined) throw new Error(`member ${id} has a store`);
  const journal = new Journal();
  const node = Node.start({
    id,
    store,
    transport: network.transport(id),
    clock: systemClock,
    random: seededRandom(id),
    machine: journal,
    limits,
    observe: (_raft, inputs) => observe(inputs),
  });
  if (!node.ok) throw new Error(node.error);
  return { node: node.value, journal };
}

/** Resolves once the member's status is so. */
export function until(member: Member, holds: (status: ReplicaStatus) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = (status: ReplicaStatus): void => {
      if (!holds(status)) return;
      stop();
      resolve();
    };
    const stop = member.node.onStatus(check);
    check(member.node.status());
  });
}
