import { onChange, onChangeInput, onChangeRefused, promoteJoining } from './change.ts';
import { contradiction } from './contradiction.ts';
import {
  becomeFollower,
  countOwnVote,
  ignoresVote,
  missLeader,
  onPreVote,
  onPreVoteReply,
  onTakeOver,
  onVote,
  onVoteReply,
  stepDownWithoutMajority,
  tickElection,
} from './election.ts';
import { acknowledge, hearLeader, learnCommit, onAppend, onHeartbeat } from './follower.ts';
import { unhurriedFollowers } from './haste.ts';
import type { Input } from './input.ts';
import {
  advanceCommit,
  broadcastHeartbeat,
  onAppendRejected,
  onAppendReply,
  onHeartbeatReply,
  onUnreachable,
  replicate,
  tickProgress,
} from './leader.ts';
import type { Message } from './message.ts';
import type { Outputs } from './output.ts';
import { collectPersist, deliverCommitted, persisted, send } from './persistence.ts';
import { onPropose, onProposeInput, onProposeRefused } from './proposals.ts';
import { noEffects, type Raft } from './raft.ts';
import { onRead, onReadInput, onReadReply, serveReads } from './reads.ts';
import {
  onChunkMissing,
  onChunkStored,
  onSnapshotChunk,
  onSnapshotMade,
  onSnapshotReply,
  tickTransfers,
} from './snapshot.ts';
import { beginTransfer, retire, tickHandOver } from './transfer.ts';

/**
 * Feeds a member what has happened, in order, and returns what is to be done. Inputs that are fed
 * together share their effects: many proposals become one write and one message to each follower.
 */
export function step(raft: Raft, inputs: readonly Input[]): Outputs {
  for (const input of inputs) consume(raft, input);
  advanceCommit(raft);
  promoteJoining(raft);
  serveReads(raft);
  replicate(raft);
  retire(raft);
  acknowledge(raft);
  deliverCommitted(raft);
  collectPersist(raft);
  if (raft.effects.messages.length > 0) raft.effects.unhurried.push(...unhurriedFollowers(raft));
  const outputs = raft.effects;
  raft.effects = noEffects();
  return outputs;
}

function consume(raft: Raft, input: Input): void {
  switch (input.kind) {
    case 'tick':
      tick(raft, input.elapsed, input.jitter);
      break;
    case 'message':
      receive(raft, input.message);
      break;
    case 'unreachable':
      onUnreachable(raft, input.member);
      missLeader(raft, input.member);
      break;
    case 'propose':
      onProposeInput(raft, input.proposals);
      break;
    case 'change':
      onChangeInput(raft, input.number, input.change);
      break;
    case 'read':
      onReadInput(raft, input.id);
      break;
    case 'persisted':
      persisted(raft, input.sequence);
      countOwnVote(raft);
      break;
    case 'snapshot-made':
      onSnapshotMade(raft, input.snapshot);
      break;
    case 'chunk-stored':
      onChunkStored(raft, input.snapshot, input.received, input.last);
      break;
    case 'chunk-missing':
      onChunkMissing(raft, input.to, input.index);
      break;
    case 'transfer':
      beginTransfer(raft, input.to);
      break;
  }
}

function tick(raft: Raft, elapsed: number, jitter: number): void {
  const { leadership, limits } = raft;
  if (leadership === null) {
    tickElection(raft, elapsed, jitter);
    return;
  }
  raft.electionElapsed += elapsed;
  leadership.sinceHeartbeat += elapsed;
  tickTransfers(raft, elapsed);
  tickProgress(raft, elapsed);
  if (leadership.sinceHeartbeat >= limits.heartbeatInterval) broadcastHeartbeat(raft);
  if (raft.electionElapsed >= limits.electionTimeoutMax) {
    raft.electionElapsed = 0;
    stepDownWithoutMajority(raft);
  }
  tickHandOver(raft, elapsed);
}

/** A message: whether it can be, terms (3.3), then what it says. */
function receive(raft: Raft, message: Message): void {
  if (message.to !== raft.id || message.from === raft.id) return;
  const detail = contradiction(raft, message);
  if (detail !== null) {
    raft.effects.contradictions.push({ from: message.from, detail });
    return;
  }
  if (message.kind === 'pre-vote') {
    onPreVote(raft, message);
    return;
  }
  if (message.term < raft.term) {
    receiveOutdated(raft, message);
    return;
  }
  if (message.kind === 'vote' && ignoresVote(raft, message)) return;
  if (message.term > raft.term) becomeFollower(raft, message.term, null);
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'commit':
    case 'snapshot-chunk':
      receiveFromLeader(raft, message);
      break;
    case 'pre-vote-reply':
      onPreVoteReply(raft, message);
      break;
    case 'vote':
      onVote(raft, message);
      break;
    case 'vote-reply':
      onVoteReply(raft, message);
      break;
    case 'append-reply':
      onAppendReply(raft, message);
      break;
    case 'append-rejected':
      onAppendRejected(raft, message);
      break;
    case 'heartbeat-reply':
      onHeartbeatReply(raft, message);
      break;
    case 'snapshot-reply':
      onSnapshotReply(raft, message);
      break;
    case 'propose':
      onPropose(raft, message);
      break;
    case 'propose-refused':
      onProposeRefused(raft, message);
      break;
    case 'change':
      onChange(raft, message);
      break;
    case 'change-refused':
      onChangeRefused(raft, message);
      break;
    case 'read':
      onRead(raft, message);
      break;
    case 'read-reply':
      onReadReply(raft, message);
      break;
    case 'take-over':
      onTakeOver(raft);
      break;
  }
}

type FromLeader = Message & { kind: 'append' | 'heartbeat' | 'commit' | 'snapshot-chunk' };

function receiveFromLeader(raft: Raft, message: FromLeader): void {
  // Of one term there is one leader: a candidate or a member without one follows it now.
  if (raft.role !== 'follower') becomeFollower(raft, raft.term, message.from);
  hearLeader(raft, message.from);
  switch (message.kind) {
    case 'append':
      onAppend(raft, message);
      break;
    case 'heartbeat':
      onHeartbeat(raft, message);
      break;
    case 'commit':
      learnCommit(raft, message.commit, message.match);
      break;
    case 'snapshot-chunk':
      onSnapshotChunk(raft, message);
      break;
  }
}

/**
 * A message of an earlier term. A leader is told, by a reply that carries the newer term, so that
 * it steps down; an answer about the next election may come from a member behind.
 */
function receiveOutdated(raft: Raft, message: Message): void {
  if (message.kind === 'pre-vote-reply') onPreVoteReply(raft, message);
  const fromLeader =
    message.kind === 'append' || message.kind === 'heartbeat' || message.kind === 'snapshot-chunk';
  if (fromLeader) send(raft, message.from, { kind: 'heartbeat-reply', round: 0 });
}
