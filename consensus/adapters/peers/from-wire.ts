import type { PeerMessage, SnapshotChunk } from '../../../proto/gen/flotilla.raft.v1.ts';
import { logIndex, type MemberId, term } from '../../core/ids.ts';
import type { Message, MessageBody } from '../../core/message.ts';
import { readConfiguration } from '../configuration-json.ts';
import { changeFromWire, refusals } from './change-wire.ts';

/**
 * Reads one of the rarer messages of the stream from `from` to `to`; null if it cannot be one: a
 * number that is too large, or nothing that this version knows.
 */
export function fromWire(from: MemberId, to: MemberId, wire: PeerMessage): Message | null {
  if (!isWhole(wire.term)) return null;
  const body = readBody(wire);
  return body === null ? null : { from, to, term: term(wire.term), ...body };
}

function isWhole(...values: readonly number[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && value >= 0);
}

/** `body` if all these are whole numbers that a double holds exactly. */
function checked(values: readonly number[], body: MessageBody): MessageBody | null {
  return isWhole(...values) ? body : null;
}

function readBody(wire: PeerMessage): MessageBody | null {
  return readElection(wire) ?? readReplication(wire) ?? readRequest(wire);
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
  return wire.snapshotChunk === undefined ? null : readChunk(wire.snapshotChunk);
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

function readRequest(wire: PeerMessage): MessageBody | null {
  if (wire.snapshotReply !== undefined) {
    const { index, received, installed } = wire.snapshotReply;
    const body = { index: logIndex(index), received, installed };
    return checked([index, received], { kind: 'snapshot-reply', ...body });
  }
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
  if (wire.changeRefused === undefined) return null;
  const { number, reason } = wire.changeRefused;
  return checked([number], { kind: 'change-refused', number, reason: refusals[reason] });
}
