import { entrySize, type Proposal } from './entry.ts';
import { logIndex, type MemberId } from './ids.ts';
import { appendPayloads } from './leader.ts';
import type { Message } from './message.ts';
import type { RefusalReason } from './output.ts';
import { send } from './persistence.ts';
import type { Leadership, Raft } from './raft.ts';

/** Commands of this member: into the log if it leads, otherwise to the leader if there is one. */
export function onProposeInput(raft: Raft, proposals: readonly Proposal[]): void {
  const { leadership, leader } = raft;
  if (leadership === null && leader !== null) {
    forward(raft, leader, proposals);
    return;
  }
  if (leadership === null) refuse(raft, proposals, 'no-leader');
  else refuse(raft, accept(raft, leadership, raft.id, proposals), reasonOf(leadership));
}

function reasonOf(leadership: Leadership): 'overloaded' | 'transferring' {
  return leadership.transfer === null ? 'overloaded' : 'transferring';
}

/** Hands proposals to the leader, in messages of the size of an append. */
function forward(raft: Raft, leader: MemberId, proposals: readonly Proposal[]): void {
  let rest = proposals;
  while (rest.length > 0) {
    const count = Math.max(1, countWithin(raft, rest, raft.limits.appendBytesMax));
    send(raft, leader, { kind: 'propose', proposals: rest.slice(0, count) });
    rest = rest.slice(count);
  }
}

function refuse(raft: Raft, proposals: readonly Proposal[], reason: RefusalReason): void {
  for (const { id } of proposals) raft.effects.refusedProposals.push({ id, reason });
}

/**
 * A follower's commands, handed over in this term. The term and the rising numbers make sure that
 * a repeated message adds nothing (SPEC R32).
 */
export function onPropose(raft: Raft, message: Message & { kind: 'propose' }): void {
  const { leadership } = raft;
  if (leadership === null) return;
  const refused = accept(raft, leadership, message.from, message.proposals);
  if (refused.length === 0) return;
  const numbers = refused.map((proposal) => proposal.id.number);
  const reason = reasonOf(leadership);
  send(raft, message.from, { kind: 'propose-refused', numbers, reason });
}

/** Appends what is new; returns what there was no room for. */
function accept(
  raft: Raft,
  leadership: Leadership,
  from: MemberId,
  proposals: readonly Proposal[],
): readonly Proposal[] {
  const seen = leadership.accepted.get(from) ?? 0;
  const fresh = proposals.filter((proposal) => proposal.id.number > seen);
  const last = fresh.at(-1);
  if (last === undefined) return [];
  leadership.accepted.set(from, last.id.number);
  if (leadership.transfer !== null) return fresh;
  const room = raft.limits.uncommittedBytesMax - leadership.uncommittedBytes;
  const count = countWithin(raft, fresh, room);
  const taken = fresh.slice(0, count);
  appendPayloads(
    raft,
    taken.map((proposal) => ({ kind: 'command', proposal })),
  );
  return fresh.slice(count);
}

function countWithin(raft: Raft, proposals: readonly Proposal[], room: number): number {
  let left = room;
  for (const [position, proposal] of proposals.entries()) {
    left -= entrySize({
      index: logIndex(0),
      term: raft.term,
      payload: { kind: 'command', proposal },
    });
    if (left < 0) return position;
  }
  return proposals.length;
}

/** The leader did not take them: for the driver, which tells whoever proposed it. */
export function onProposeRefused(raft: Raft, message: Message & { kind: 'propose-refused' }): void {
  for (const number of message.numbers)
    raft.effects.refusedProposals.push({
      id: { member: raft.id, number },
      reason: message.reason,
    });
}
