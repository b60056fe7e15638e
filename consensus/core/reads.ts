import { majority } from './configuration.ts';
import type { MemberId } from './ids.ts';
import { broadcastHeartbeat } from './leader.ts';
import type { Message } from './message.ts';
import { send } from './persistence.ts';
import type { Leadership, Raft, ReadRequest } from './raft.ts';

/** A read was asked for here: the leader itself notes it, a follower asks its leader (6.4). */
export function onReadInput(raft: Raft, id: number): void {
  if (raft.leadership !== null) enqueueRead(raft, raft.leadership, { from: raft.id, id });
  else if (raft.leader === null) raft.effects.refusedReads.push({ id, reason: 'no-leader' });
  else send(raft, raft.leader, { kind: 'read', id });
}

/** A follower asks. Without office there is no answer: the follower will see who leads. */
export function onRead(raft: Raft, message: Message & { kind: 'read' }): void {
  if (raft.leadership === null) return;
  enqueueRead(raft, raft.leadership, { from: message.from, id: message.id });
}

function enqueueRead(raft: Raft, leadership: Leadership, request: ReadRequest): void {
  if (leadership.waitingReads.length < raft.limits.waitingReadsMax)
    leadership.waitingReads.push(request);
  else if (request.from === raft.id)
    raft.effects.refusedReads.push({ id: request.id, reason: 'overloaded' });
}

/**
 * At the end of a step: answers the reads whose round a majority has confirmed, and begins a
 * round for those that wait. One round at a time: what arrives meanwhile shares the next one.
 */
export function serveReads(raft: Raft): void {
  const { leadership } = raft;
  if (leadership === null) return;
  answerConfirmed(raft, leadership);
  if (leadership.confirming !== null || leadership.waitingReads.length === 0) return;
  // Until an entry of its own term is committed, a leader may not know the newest commit (6.4).
  if (!raft.log.matches(raft.commit, raft.term)) return;
  leadership.round += 1;
  const requests = leadership.waitingReads.splice(0);
  leadership.confirming = { round: leadership.round, index: raft.commit, requests };
  broadcastHeartbeat(raft);
  answerConfirmed(raft, leadership);
}

function answerConfirmed(raft: Raft, leadership: Leadership): void {
  const { confirming } = leadership;
  if (confirming === null) return;
  const confirms = (voter: MemberId): boolean =>
    voter === raft.id || (leadership.progress.get(voter)?.round ?? 0) >= confirming.round;
  if (!majority(raft.log.configuration, confirms)) return;
  leadership.confirming = null;
  for (const { from, id } of confirming.requests)
    if (from === raft.id) raft.effects.reads.push({ id, index: confirming.index });
    else send(raft, from, { kind: 'read-reply', id, index: confirming.index });
}

/** The leader's answer, for the driver, which knows what it asked. */
export function onReadReply(raft: Raft, message: Message & { kind: 'read-reply' }): void {
  raft.effects.reads.push({ id: message.id, index: message.index });
}

/** The office is lost: this member's own reads are refused, the others' will be asked again. */
export function abandonReads(raft: Raft): void {
  const { leadership } = raft;
  if (leadership === null) return;
  const requests = [...(leadership.confirming?.requests ?? []), ...leadership.waitingReads];
  for (const { from, id } of requests)
    if (from === raft.id) raft.effects.refusedReads.push({ id, reason: 'no-leader' });
}
