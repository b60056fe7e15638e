import type { Input } from '../../../proto/codec.ts';
import type { PeerMessage } from '../../../proto/gen/flotilla.raft.v1.ts';
import { entrySize } from '../../core/entry.ts';
import type { Message } from '../../core/message.ts';
import { encodeEntry } from '../entry-codec.ts';
import { changeToWire, refusalNames } from './change-wire.ts';

/** A message as it travels. Who sends it, and to whom, is said once by the stream's greeting. */
export function toWire(message: Message): Input<PeerMessage> {
  return { term: message.term, ...body(message) };
}

function body(message: Message): Input<PeerMessage> {
  switch (message.kind) {
    case 'pre-vote':
      return { preVote: message };
    case 'pre-vote-reply':
      return { preVoteReply: message };
    case 'vote':
      return { vote: message };
    case 'vote-reply':
      return { voteReply: message };
    case 'append':
      return { append: { ...message, entries: message.entries.map(encodeEntry) } };
    case 'append-reply':
      return { appendReply: message };
    case 'append-rejected':
      return { appendRejected: message };
    case 'heartbeat':
      return { heartbeat: message };
    case 'heartbeat-reply':
      return { heartbeatReply: message };
    case 'commit':
      return { commit: message };
    case 'snapshot-chunk': {
      const { snapshot, offset, data, last } = message;
      const { index, term, configuration } = snapshot;
      return { snapshotChunk: { index, term, ...configuration, offset, data, last } };
    }
    case 'snapshot-reply':
      return { snapshotReply: message };
    case 'propose': {
      const proposals = message.proposals.map(({ id, command }) => ({
        number: id.number,
        command,
      }));
      return { propose: { proposals } };
    }
    case 'propose-refused': {
      const { numbers, reason } = message;
      return { proposeRefused: { numbers, transferring: reason === 'transferring' } };
    }
    case 'change':
      return { change: changeToWire(message.number, message.change) };
    case 'change-refused': {
      const { number, reason } = message;
      return { changeRefused: { number, reason: refusalNames[reason] } };
    }
    case 'read':
      return { read: message };
    case 'read-reply':
      return { readReply: message };
    case 'take-over':
      return { takeOver: {} };
  }
}

/** What a message takes in a queue and on the way, in bytes; an estimate. */
export function wireSize(message: Message): number {
  const overhead = 48;
  switch (message.kind) {
    case 'append':
      return message.entries.reduce((sum, entry) => sum + entrySize(entry), overhead);
    case 'propose':
      return message.proposals.reduce(
        (sum, { command }) => sum + 16 + command.byteLength,
        overhead,
      );
    case 'snapshot-chunk':
      return overhead + message.data.byteLength;
    case 'pre-vote':
    case 'pre-vote-reply':
    case 'vote':
    case 'vote-reply':
    case 'append-reply':
    case 'append-rejected':
    case 'heartbeat':
    case 'heartbeat-reply':
    case 'commit':
    case 'snapshot-reply':
    case 'propose-refused':
    case 'change':
    case 'change-refused':
    case 'read':
    case 'read-reply':
    case 'take-over':
      return overhead;
  }
}
