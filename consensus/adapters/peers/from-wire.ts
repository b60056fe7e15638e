import type {
  Append,
  PeerMessage,
  Propose,
  SnapshotChunk,
} from '../../../proto/gen/flotilla.raft.v1.ts';
import type { Entry, Proposal } from '../../core/entry.ts';
import { logIndex, type MemberId, term } from '../../core/ids.ts';
import type { Message, MessageBody } from '../../core/message.ts';
import { readConfiguration } from '../configuration-json.ts';
import { decodeRecords } from '../entry-codec.ts';
import { changeFromWire, refusals } from './change-wire.ts';

/**
 * Reads a message of the stream from `from` to `to`; null if it cannot be one: a number that is
 * too large, entries that do not follow one another, or nothing that this version knows.
 */
export function fromWire(from: MemberId, to: MemberId, wire: PeerMessage): Message | null {
  if (!isWhole(wire.term)) return null;
  const body = readBody(from, wire);
  return body === null ? null : { from, to, term: term(wire.term), ...body };
}

function isWhole(...values: readonly number[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && value >= 0);
}

/** `body` if all these are whole numbers that a double holds exactly. */
function checked(values: readonly number[], body: MessageBody): MessageBody | null {
  return isWhole(...values) ? body : null;
}

function readBody(from: MemberId, wire: PeerMessage): MessageBody | null {
  return readElection(wire) ?? readReplication(wire) ?? readRequest(from, wire);
}

function readElection(wire: PeerMessage): MessageBody | null {
  if (wire.preVote !== undefined) {
    const { lastIndex, lastTerm } = wire.preVote;
    const last = { lastIndex: logIndex(lastIndex), lastTerm: term(lastTerm) };
    return checked([lastIndex, lastTerm], { kind: 'pre-vote', ...last });
  }
  if (wire.preVoteReply !== undefined) {
    const { asked, granted } = wire.preVoteReply;
    return checked([asked], { kind: 'pre-vote-reply', asked: term(asked), granted });
  }
  if (wire.vote !== undefined) {
    const { lastIndex, lastTerm, force } = wire.vote;
    const last = { lastIndex: logIndex(lastIndex), lastTerm: term(lastTerm) };
    return checked([lastIndex, lastTerm], { kind: 'vote', ...last, force });
  }
  if (wire.voteReply !== undefined) return { kind: 'vote-reply', granted: wire.voteReply.granted };
  return wire.takeOver === undefined ? null : { kind: 'take-over' };
}

function readReplication(wire: PeerMessage): MessageBody | null {
  if (wire.append !== undefined) return readAppend(wire.term, wire.append);
  if (wire.appendReply !== undefined) {
    const { match, round } = wire.appendReply;
    return checked([match, round], { kind: 'append-reply', match: logIndex(match), round });
  }
  if (wire.appendRejected !== undefined) {
    const { rejected, hintIndex, hintTerm, round } = wire.appendRejected;
    return checked([rejected, hintIndex, hintTerm, round], {
      kind: 'append-rejected',
      rejected: logIndex(rejected),
      hintIndex: logIndex(hintIndex),
      hintTerm: term(hintTerm),
      round,
    });
  }
  if (wire.heartbeat !== undefined) {
    const { commit, match, round } = wire.heartbeat;
    const known = { commit: logIndex(commit), match: logIndex(match) };
    return checked([commit, match, round], { kind: 'heartbeat', ...known, round });
  }
  if (wire.heartbeatReply !== undefined) {
    const { round } = wire.heartbeatReply;
    return checked([round], { kind: 'heartbeat-reply', round });
  }
  if (wire.commit !== undefined) {
    const { commit, match } = wire.commit;
    const known = { commit: logIndex(commit), match: logIndex(match) };
    return checked([commit, match], { kind: 'commit', ...known });
  }
  return wire.snapshotChunk === undefined ? null : readChunk(wire.snapshotChunk);
}

function readAppend(
  messageTerm: number,
  { previousIndex, previousTerm, entries, commit, round }: Append,
): MessageBody | null {
  if (!isWhole(previousIndex, previousTerm, commit, round)) return null;
  const read: Entry[] = [];
  let lastTerm = previousTerm;
  for (const bytes of entries) {
    const records = decodeRecords(bytes);
    const record = records.ok && records.value.length === 1 ? records.value[0] : undefined;
    if (record?.kind !== 'entry') return null;
    const { entry } = record;
    if (entry.index !== previousIndex + read.length + 1 || entry.term < lastTerm) return null;
    lastTerm = entry.term;
    read.push(entry);
  }
  if (lastTerm > messageTerm) return null;
  return {
    kind: 'append',
    previousIndex: logIndex(previousIndex),
    previousTerm: term(previousTerm),
    entries: read,
    commit: logIndex(commit),
    round,
  };
}

function readChunk(chunk: SnapshotChunk): MessageBody | null {
  const { index, term: at, offset, data, last } = chunk;
  const configuration = readConfiguration(chunk);
  if (!configuration.ok) return null;
  return checked([index, at, offset], {
    kind: 'snapshot-chunk',
    snapshot: { index: logIndex(index), term: term(at), configuration: configuration.value },
    offset,
    data,
    last,
  });
}

function readRequest(from: MemberId, wire: PeerMessage): MessageBody | null {
  if (wire.snapshotReply !== undefined) {
    const { index, received, installed } = wire.snapshotReply;
    const body = { index: logIndex(index), received, installed };
    return checked([index, received], { kind: 'snapshot-reply', ...body });
  }
  if (wire.propose !== undefined) return readPropose(from, wire.propose);
  if (wire.proposeRefused !== undefined) {
    const { numbers, transferring } = wire.proposeRefused;
    const reason = transferring ? 'transferring' : 'overloaded';
    return checked(numbers, { kind: 'propose-refused', numbers, reason });
  }
  if (wire.change !== undefined) {
    const { number, member } = wire.change;
    const change = changeFromWire(wire.change);
    return change === null ? null : checked([number, member], { kind: 'change', number, change });
  }
  if (wire.changeRefused !== undefined) {
    const { number, reason } = wire.changeRefused;
    return checked([number], { kind: 'change-refused', number, reason: refusals[reason] });
  }
  if (wire.read !== undefined) return checked([wire.read.id], { kind: 'read', id: wire.read.id });
  if (wire.readReply === undefined) return null;
  const { id, index } = wire.readReply;
  return checked([id, index], { kind: 'read-reply', id, index: logIndex(index) });
}

function readPropose(from: MemberId, { proposals }: Propose): MessageBody | null {
  const read = proposals.map(({ number, command }): Proposal => {
    return { id: { member: from, number }, command };
  });
  const numbers = proposals.map(({ number }) => number);
  return checked(numbers, { kind: 'propose', proposals: read });
}
