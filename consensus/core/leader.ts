import { present } from '../../base/assert.ts';
import { measure } from './catch-up.ts';
import { majorityIndex, membersOf } from './configuration.ts';
import { type Entry, entrySize, type Payload } from './entry.ts';
import { earlier, type LogIndex, logIndex, type MemberId } from './ids.ts';
import type { Message } from './message.ts';
import { send } from './persistence.ts';
import { confirmed, newProgress, type Progress, probe, sent } from './progress.ts';
import { heardFrom, type Leadership, type Raft } from './raft.ts';
import { requestChunk } from './snapshot.ts';

/** Takes office: what followers have is unknown, and a first entry commits what came before. */
export function becomeLeader(raft: Raft): void {
  raft.role = 'leader';
  raft.leader = raft.id;
  raft.electionElapsed = 0;
  raft.leadership = {
    progress: new Map(),
    round: 0,
    waitingReads: [],
    confirming: null,
    accepted: new Map(),
    uncommittedBytes: 0,
    transfer: null,
    sinceHeartbeat: 0,
  };
  const { progress } = raft.leadership;
  // A removal that is not committed yet: the removed member is to learn of it from this leader.
  for (const member of membersOf(raft.log.configurationAt(raft.commit)))
    if (member !== raft.id) progress.set(member, newProgress(logIndex(raft.log.lastIndex + 1)));
  followConfiguration(raft, raft.leadership);
  appendPayloads(raft, [firstPayload(raft)]);
}

/**
 * A pool's first leader says who takes part. Whoever joins later was not told at its start, and so
 * has it from the log.
 */
function firstPayload({ log }: Raft): Payload {
  if (log.configurationIndex > 0) return { kind: 'noop' };
  return { kind: 'configuration', configuration: log.configuration, proposal: null };
}

/** Adds payloads to the log as entries of this term. */
export function appendPayloads(raft: Raft, payloads: readonly Payload[]): void {
  const leadership = present(raft.leadership, 'only a leader appends');
  const entries = payloads.map((payload, position): Entry => {
    const index = logIndex(raft.log.lastIndex + 1 + position);
    return { index, term: raft.term, payload };
  });
  raft.log.append(entries);
  for (const entry of entries) leadership.uncommittedBytes += entrySize(entry);
  if (payloads.some((payload) => payload.kind === 'configuration'))
    followConfiguration(raft, leadership);
}

/**
 * Keeps progress of the members of the configuration in force, without the leader. Whoever has
 * just been removed stays among them for a while, and so learns of its removal.
 */
function followConfiguration(raft: Raft, { progress }: Leadership): void {
  const { log, id } = raft;
  const others = membersOf(log.configuration).filter((member) => member !== id);
  for (const [member, each] of progress)
    if (!others.includes(member)) each.leaving ??= { since: log.configurationIndex, elapsed: 0 };
  for (const member of others) {
    const known = progress.get(member);
    if (known === undefined || known.leaving !== null)
      progress.set(member, newProgress(logIndex(log.lastIndex + 1)));
  }
}

/** Time passes for what the leader knows of the others. */
export function tickProgress(raft: Raft, elapsed: number): void {
  const { log, commit, limits } = raft;
  for (const [member, each] of raft.leadership?.progress ?? []) {
    if (each.silent !== null) each.silent += elapsed;
    measure(each.catchUp, each.match, log.lastIndex, elapsed);
    if (each.leaving === null || commit < each.leaving.since) continue;
    each.leaving.elapsed += elapsed;
    if (each.leaving.elapsed >= limits.electionTimeoutMax) raft.leadership?.progress.delete(member);
  }
}

/** The highest entry of this term that a majority holds durably is committed (3.6.2). */
export function advanceCommit(raft: Raft): void {
  const { leadership, log } = raft;
  if (leadership === null || log.lastIndex <= raft.commit) return;
  const index = majorityIndex(log.configuration, (voter) =>
    voter === raft.id ? log.durable : (leadership.progress.get(voter)?.match ?? logIndex(0)),
  );
  if (index > raft.commit && log.matches(index, raft.term)) raft.commit = index;
}

/** At the end of a step: every follower is sent what it lacks and may be sent now. */
export function replicate(raft: Raft): void {
  const { leadership, log, limits } = raft;
  if (leadership === null) return;
  for (const [to, progress] of leadership.progress) {
    if (progress.mode === 'probe' && !progress.paused) sendAppend(raft, to, progress);
    while (
      progress.mode === 'replicate' &&
      progress.next <= log.lastIndex &&
      progress.inflight.length < limits.inflightMessagesMax &&
      progress.inflightBytes < limits.inflightBytesMax
    )
      sendAppend(raft, to, progress);
    const { match, next, mode } = progress;
    const useful = earlier(raft.commit, mode === 'replicate' ? logIndex(next - 1) : match);
    if (progress.toldCommit < useful) {
      progress.toldCommit = useful;
      send(raft, to, { kind: 'commit', commit: raft.commit, match });
    }
  }
}

/** Sends the next entries, none if there are none; begins a snapshot where the log is too short. */
function sendAppend(raft: Raft, to: MemberId, progress: Progress): void {
  const { log, limits } = raft;
  const previousIndex = logIndex(progress.next - 1);
  const previousTerm = log.termAt(previousIndex);
  if (previousTerm === null) {
    beginSnapshot(raft, to, progress);
    return;
  }
  const entries = log.read(progress.next, limits.appendBytesMax, limits.appendEntriesMax);
  const last = logIndex(previousIndex + entries.length);
  const round = present(raft.leadership, 'a leader sends').round;
  progress.toldCommit = earlier(raft.commit, last);
  send(raft, to, {
    kind: 'append',
    previousIndex,
    previousTerm,
    entries,
    commit: raft.commit,
    round,
  });
  const size = entries.reduce((sum, entry) => sum + entrySize(entry), 0);
  sent(progress, last, size);
}

function beginSnapshot(raft: Raft, to: MemberId, progress: Progress): void {
  progress.mode = 'snapshot';
  progress.transfer = { snapshot: raft.snapshot, received: 0, waiting: 0 };
  requestChunk(raft, to, progress.transfer);
}

/** Tells every follower that this member leads, how far it may apply, and the round to confirm. */
export function broadcastHeartbeat(raft: Raft): void {
  const leadership = present(raft.leadership, 'a leader has heartbeats');
  leadership.sinceHeartbeat = 0;
  const { round, progress } = leadership;
  for (const [to, { match }] of progress)
    send(raft, to, { kind: 'heartbeat', commit: raft.commit, match, round });
}

/** A follower has more of the log. */
export function onAppendReply(raft: Raft, message: Message & { kind: 'append-reply' }): void {
  const progress = heardFrom(raft, message.from, message.round);
  if (progress === null) return;
  confirmed(progress, message.match);
  measure(progress.catchUp, progress.match, raft.log.lastIndex, 0);
  handOver(raft, message.from, progress.match);
}

/** A follower's log differs: the entry before the next append is looked for further back (3.5). */
export function onAppendRejected(raft: Raft, message: Message & { kind: 'append-rejected' }): void {
  const progress = heardFrom(raft, message.from, message.round);
  if (progress === null || progress.mode === 'snapshot') return;
  // Late news: of a place that has been confirmed since, or of a probe before this one.
  if (message.rejected <= progress.match) return;
  if (progress.mode === 'probe' && message.rejected !== progress.next - 1) return;
  const place = raft.log.lastPlaceUpTo(message.hintIndex, message.hintTerm);
  probe(progress, logIndex(earlier(place.index, logIndex(message.rejected - 1)) + 1));
}

/** A follower is there. If it has not confirmed everything, something may have been lost. */
export function onHeartbeatReply(raft: Raft, message: Message & { kind: 'heartbeat-reply' }): void {
  const progress = heardFrom(raft, message.from, message.round);
  if (progress === null) return;
  progress.paused = false;
  if (progress.mode === 'replicate' && progress.match < raft.log.lastIndex)
    askAgain(raft, message.from, progress);
}

/** An append without entries: a follower that has not received all before it will reject it. */
function askAgain(raft: Raft, to: MemberId, progress: Progress): void {
  const previousIndex = logIndex(progress.next - 1);
  const previousTerm = raft.log.termAt(previousIndex);
  if (previousTerm === null) {
    probe(progress, progress.next);
    return;
  }
  const round = present(raft.leadership, 'a leader sends').round;
  const commit = earlier(raft.commit, previousIndex);
  send(raft, to, {
    kind: 'append',
    previousIndex,
    previousTerm,
    entries: [],
    commit,
    round,
  });
}

/** Messages to this follower get lost: begin again from what it has confirmed. */
export function onUnreachable(raft: Raft, member: MemberId): void {
  const progress = raft.leadership?.progress.get(member);
  if (progress?.mode !== 'replicate') return;
  probe(progress, logIndex(progress.match + 1));
  progress.paused = true;
}

/** Once the successor has the whole log it is asked to start an election (3.10). */
export function handOver(raft: Raft, to: MemberId, match: LogIndex): void {
  const transfer = raft.leadership?.transfer ?? null;
  if (transfer === null || transfer.to !== to || transfer.asked) return;
  if (match < raft.log.lastIndex) return;
  transfer.asked = true;
  send(raft, to, { kind: 'take-over' });
}
