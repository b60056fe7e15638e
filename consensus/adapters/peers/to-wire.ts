import type { Input } from '../../../proto/codec.ts';
import type { PeerMessage } from '../../../proto/gen/flotilla.raft.v1.ts';
import { entrySize } from '../../core/entry.ts';
import type { Message } from '../../core/message.ts';
import { changeToWire, refusalNames } from './change-wire.ts';

/** The messages that are many: `write-frame.ts` writes them, and `read-frame.ts` reads them. */
type Frequent =
  | 'append'
  | 'append-reply'
  | 'heartbeat'
  | 'heartbeat-reply'
  | 'commit'
  | 'propose'
  | 'read'
  | 'read-reply';

/** The messages of elections, snapshots and changes. */
type RareMessage = Exclude<Message, { readonly kind: Frequent }>;

/** A message as protobufjs takes it. Who sends it, and to whom, is said once by the greeting. */
export function toWire(message: RareMessage): Input<PeerMessage> {
  return { term: message.term, ...body(message) };
}

function body(message: RareMessage): Input<PeerMessage> {
  switch (message.kind) {
    case 'pre-vote':
      return { preVote: message };
    case 'pre-vote-reply':
      return { preVoteReply: message };
    case 'vote':
      return { vote: message };
    case 'vote-reply':
      return { voteReply: message };
    case 'append-rejected':
      return { appendRejected: message };
    case 'snapshot-chunk': {
      const { snapshot, offset, data, last } = message;
      const { index, term, configuration } = snapshot;
      return { snapshotChunk: { index, term, ...configuration, offset, data, last } };
    }
    case 'snapshot-reply':
      return { snapshotReply: message };
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
