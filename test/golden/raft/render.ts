import type { Configuration } from '../../../consensus/core/configuration.ts';
import type { Entry, Position } from '../../../consensus/core/entry.ts';
import type { Message } from '../../../consensus/core/message.ts';
import type { Outputs } from '../../../consensus/core/output.ts';
import type { Raft } from '../../../consensus/core/raft.ts';

/** Everything that a member's core said in one step, as lines. */
export function renderStep(raft: Raft, outputs: Outputs): readonly string[] {
  const { persist } = outputs;
  const lines: string[] = [];
  if (persist !== null) {
    const { hardState, reset, entries } = persist;
    const parts = [`persist #${persist.sequence}`];
    if (hardState !== null)
      parts.push(`term ${hardState.term} vote ${hardState.vote ?? '-'} commit ${hardState.commit}`);
    if (reset !== null) parts.push(`reset ${place(reset)}`);
    if (entries.length > 0) parts.push(renderEntries(entries));
    lines.push(parts.join(', '));
  }
  for (const message of outputs.messages) {
    const waits = outputs.unhurried.includes(message.to) && mayWait(message);
    lines.push(`${renderMessage(message)}${waits ? ', no hurry' : ''}`);
  }
  for (const { to, snapshot, offset } of outputs.readChunks)
    lines.push(`read snapshot ${place(snapshot)} from byte ${offset} for ${to}`);
  if (outputs.storeChunk !== null) {
    const { snapshot, offset, data, last } = outputs.storeChunk;
    const bytes = `${data.byteLength} bytes at ${offset}`;
    lines.push(`store ${bytes} of snapshot ${place(snapshot)}${last ? ', the last' : ''}`);
  }
  if (outputs.restore !== null) lines.push(`restore snapshot ${place(outputs.restore)}`);
  if (outputs.committed.length > 0) lines.push(`apply ${renderEntries(outputs.committed)}`);
  for (const { id, index } of outputs.reads) lines.push(`read ${id} may be served at ${index}`);
  for (const { id, reason } of outputs.refusedProposals)
    lines.push(`refuse proposal ${id.number}: ${reason}`);
  for (const { number, reason } of outputs.refusedChanges)
    lines.push(`refuse change ${number}: ${reason}`);
  for (const { id, reason } of outputs.refusedReads) lines.push(`refuse read ${id}: ${reason}`);
  if (outputs.compacted !== null) lines.push(`compact up to ${outputs.compacted}`);
  return lines.map((line) => `${raft.id}: ${line}`);
}

/** What SPEC R61 is about. */
function mayWait({ kind }: Message): boolean {
  return kind === 'append' || kind === 'heartbeat' || kind === 'commit';
}

/** Where a member stands, in one line. */
export function renderState(raft: Raft): string {
  const { id, role, term, vote, leader, log, commit } = raft;
  const known = `vote ${vote ?? '-'}, leader ${leader ?? '-'}`;
  const reach = `log ${log.base.index + 1} to ${log.lastIndex}@${log.lastTerm}, durable ${log.durable}`;
  return `${id}: ${role} in term ${term}, ${known}, ${reach}, commit ${commit}`;
}

function place({ index, term }: Position): string {
  return `${index}@${term}`;
}

function renderEntries(entries: readonly Entry[]): string {
  return `[${entries.map((entry) => `${place(entry)} ${renderPayload(entry)}`).join(', ')}]`;
}

/** What an entry says, in few words. */
export function renderPayload({ payload }: Entry): string {
  switch (payload.kind) {
    case 'noop':
      return 'noop';
    case 'command':
      return Buffer.from(payload.proposal.command).toString();
    case 'configuration':
      return renderConfiguration(payload.configuration);
  }
}

function renderConfiguration({ voters, learners, joining }: Configuration): string {
  const ids = learners.map((id) => (joining.includes(id) ? `${id} (joining)` : `${id}`));
  return `voters ${voters.join()}${ids.length === 0 ? '' : `; learners ${ids.join()}`}`;
}

/** A message in one line. */
export function renderMessage(message: Message): string {
  return `to ${message.to} (term ${message.term}): ${message.kind}${details(message)}`;
}

function details(message: Message): string {
  switch (message.kind) {
    case 'pre-vote':
    case 'vote':
      return `, log ends at ${message.lastIndex}@${message.lastTerm}${
        message.kind === 'vote' && message.force ? ', forced' : ''
      }`;
    case 'pre-vote-reply':
      return ` for term ${message.asked}: ${message.granted ? 'yes' : 'no'}`;
    case 'vote-reply':
      return `: ${message.granted ? 'yes' : 'no'}`;
    case 'append': {
      const { previousIndex, previousTerm, entries, commit, round } = message;
      const after = `after ${previousIndex}@${previousTerm}`;
      return ` ${after} ${renderEntries(entries)}, commit ${commit}, round ${round}`;
    }
    case 'append-reply':
      return ` match ${message.match}, round ${message.round}`;
    case 'append-rejected': {
      const { rejected, hintIndex, hintTerm } = message;
      return ` at ${rejected}, look at ${hintIndex}@${hintTerm}`;
    }
    case 'heartbeat':
      return ` commit ${message.commit}, match ${message.match}, round ${message.round}`;
    case 'heartbeat-reply':
      return ` round ${message.round}`;
    case 'commit':
      return ` ${message.commit}, match ${message.match}`;
    case 'snapshot-chunk': {
      const { snapshot, offset, data, last } = message;
      const bytes = `${data.byteLength} bytes at ${offset}`;
      return ` ${place(snapshot)}, ${bytes}${last ? ', the last' : ''}`;
    }
    case 'snapshot-reply':
      return ` ${message.index}: ${message.installed ? 'installed' : `${message.received} bytes`}`;
    case 'propose':
      return ` ${message.proposals.map(({ command }) => Buffer.from(command)).join(', ')}`;
    case 'propose-refused':
      return ` ${message.numbers.join()}: ${message.reason}`;
    case 'change':
      return ` ${message.number}: ${message.change.kind} ${message.change.member}`;
    case 'change-refused':
      return ` ${message.number}: ${message.reason}`;
    case 'read':
      return ` ${message.id}`;
    case 'read-reply':
      return ` ${message.id} at ${message.index}`;
    case 'take-over':
      return '';
  }
}
