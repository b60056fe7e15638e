// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType, ServiceType } from '../codec.ts';

export interface PeerService {
  /**
   * The caller greets first, and the callee greets back. A callee that does not accept the greeting
   * ends the stream with FAILED_PRECONDITION and a sentence that says why.
   */
  readonly exchange: {
    readonly kind: 'bidi-stream';
    readonly request: PeerFrame;
    readonly response: PeerFrame;
  };
  /**
   * Who are the members? Asked by one that starts with nothing, or that hears of no leader: what it
   * knows may be out of date. Any version answers any other.
   */
  readonly listMembers: {
    readonly kind: 'unary';
    readonly request: ListMembersRequest;
    readonly response: ListMembersResponse;
  };
}
export const PeerService: ServiceType<PeerService> = {
  name: 'flotilla.raft.v1.PeerService',
  file: 'flotilla/raft/v1/raft.proto',
  methods: {
    Exchange: 'bidi-stream',
    ListMembers: 'unary',
  },
};

export interface PeerFrame {
  readonly greeting?: Greeting;
  readonly messages?: PeerMessages;
}
export const PeerFrame: MessageType<PeerFrame> = { name: 'flotilla.raft.v1.PeerFrame', file: 'flotilla/raft/v1/raft.proto' };

export interface Greeting {
  /** The newest version of this protocol that the sender speaks, and the oldest. */
  readonly version: number;
  readonly oldestVersion: number;
  /** The id of the sender's pool; members of different pools do not talk. */
  readonly pool: string;
  /** The sender, and whom it means to talk to. */
  readonly from: number;
  readonly to: number;
  /**
   * Where the sender listens, for a receiver whose configuration does not tell, or is older than
   * the sender's, which stands at this place in the log.
   */
  readonly address: string;
  readonly configurationIndex: number;
}
export const Greeting: MessageType<Greeting> = { name: 'flotilla.raft.v1.Greeting', file: 'flotilla/raft/v1/raft.proto' };

export interface ListMembersRequest {

}
export const ListMembersRequest: MessageType<ListMembersRequest> = { name: 'flotilla.raft.v1.ListMembersRequest', file: 'flotilla/raft/v1/raft.proto' };

export interface ListMembersResponse {
  readonly pool: string;
  /** Whether a majority has just confirmed it. Otherwise it is what the callee was told last. */
  readonly isCurrent: boolean;
  readonly members: readonly PoolMember[];
}
export const ListMembersResponse: MessageType<ListMembersResponse> = { name: 'flotilla.raft.v1.ListMembersResponse', file: 'flotilla/raft/v1/raft.proto' };

export interface PoolMember {
  readonly id: number;
  readonly peers: readonly string[];
  readonly isLearner: boolean;
  /** It has told its name, which it does once it has received and confirmed the log. */
  readonly hasStarted: boolean;
  readonly name: string;
}
export const PoolMember: MessageType<PoolMember> = { name: 'flotilla.raft.v1.PoolMember', file: 'flotilla/raft/v1/raft.proto' };

export interface PeerMessages {
  readonly messages: readonly PeerMessage[];
}
export const PeerMessages: MessageType<PeerMessages> = { name: 'flotilla.raft.v1.PeerMessages', file: 'flotilla/raft/v1/raft.proto' };

export interface PeerMessage {
  /** The sender's term. */
  readonly term: number;
  readonly preVote?: PreVote;
  readonly preVoteReply?: PreVoteReply;
  readonly vote?: Vote;
  readonly voteReply?: VoteReply;
  readonly append?: Append;
  readonly appendReply?: AppendReply;
  readonly appendRejected?: AppendRejected;
  readonly heartbeat?: Heartbeat;
  readonly heartbeatReply?: HeartbeatReply;
  readonly commit?: Commit;
  readonly snapshotChunk?: SnapshotChunk;
  readonly snapshotReply?: SnapshotReply;
  readonly propose?: Propose;
  readonly proposeRefused?: ProposeRefused;
  readonly read?: Read;
  readonly readReply?: ReadReply;
  readonly takeOver?: TakeOver;
  readonly change?: Change;
  readonly changeRefused?: ChangeRefused;
}
export const PeerMessage: MessageType<PeerMessage> = { name: 'flotilla.raft.v1.PeerMessage', file: 'flotilla/raft/v1/raft.proto' };

/** Would you vote for me in the next term? */
export interface PreVote {
  readonly lastIndex: number;
  readonly lastTerm: number;
}
export const PreVote: MessageType<PreVote> = { name: 'flotilla.raft.v1.PreVote', file: 'flotilla/raft/v1/raft.proto' };

export interface PreVoteReply {
  /** The term that was asked about. */
  readonly asked: number;
  readonly granted: boolean;
}
export const PreVoteReply: MessageType<PreVoteReply> = { name: 'flotilla.raft.v1.PreVoteReply', file: 'flotilla/raft/v1/raft.proto' };

export interface Vote {
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader has asked for this election. */
  readonly force: boolean;
}
export const Vote: MessageType<Vote> = { name: 'flotilla.raft.v1.Vote', file: 'flotilla/raft/v1/raft.proto' };

export interface VoteReply {
  readonly granted: boolean;
}
export const VoteReply: MessageType<VoteReply> = { name: 'flotilla.raft.v1.VoteReply', file: 'flotilla/raft/v1/raft.proto' };

export interface Append {
  /** The entry before the first of these. */
  readonly previousIndex: number;
  readonly previousTerm: number;
  /**
   * In the layout of the log on disk (consensus/adapters/entry-codec.ts): what was received is
   * written as it is.
   */
  readonly entries: readonly Uint8Array[];
  readonly commit: number;
  readonly round: number;
}
export const Append: MessageType<Append> = { name: 'flotilla.raft.v1.Append', file: 'flotilla/raft/v1/raft.proto' };

export interface AppendReply {
  /** Up to here the logs are equal, durably. */
  readonly match: number;
  readonly round: number;
}
export const AppendReply: MessageType<AppendReply> = { name: 'flotilla.raft.v1.AppendReply', file: 'flotilla/raft/v1/raft.proto' };

export interface AppendRejected {
  readonly rejected: number;
  readonly hintIndex: number;
  readonly hintTerm: number;
  readonly round: number;
}
export const AppendRejected: MessageType<AppendRejected> = { name: 'flotilla.raft.v1.AppendRejected', file: 'flotilla/raft/v1/raft.proto' };

export interface Heartbeat {
  readonly commit: number;
  readonly round: number;
  /** What the receiver has confirmed. */
  readonly match: number;
}
export const Heartbeat: MessageType<Heartbeat> = { name: 'flotilla.raft.v1.Heartbeat', file: 'flotilla/raft/v1/raft.proto' };

export interface HeartbeatReply {
  readonly round: number;
}
export const HeartbeatReply: MessageType<HeartbeatReply> = { name: 'flotilla.raft.v1.HeartbeatReply', file: 'flotilla/raft/v1/raft.proto' };

export interface Commit {
  readonly commit: number;
  readonly match: number;
}
export const Commit: MessageType<Commit> = { name: 'flotilla.raft.v1.Commit', file: 'flotilla/raft/v1/raft.proto' };

export interface SnapshotChunk {
  readonly index: number;
  readonly term: number;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  readonly offset: number;
  readonly data: Uint8Array;
  readonly last: boolean;
  /** Of the learners, those who become voters once they have caught up. */
  readonly joining: readonly number[];
  readonly addresses: readonly MemberAddress[];
}
export const SnapshotChunk: MessageType<SnapshotChunk> = { name: 'flotilla.raft.v1.SnapshotChunk', file: 'flotilla/raft/v1/raft.proto' };

/** Where a member listens for the others. */
export interface MemberAddress {
  readonly member: number;
  /** HOST:PORT, in the order in which they are tried. */
  readonly peers: readonly string[];
}
export const MemberAddress: MessageType<MemberAddress> = { name: 'flotilla.raft.v1.MemberAddress', file: 'flotilla/raft/v1/raft.proto' };

export interface SnapshotReply {
  readonly index: number;
  readonly received: number;
  readonly installed: boolean;
}
export const SnapshotReply: MessageType<SnapshotReply> = { name: 'flotilla.raft.v1.SnapshotReply', file: 'flotilla/raft/v1/raft.proto' };

export interface Propose {
  readonly proposals: readonly Proposal[];
}
export const Propose: MessageType<Propose> = { name: 'flotilla.raft.v1.Propose', file: 'flotilla/raft/v1/raft.proto' };

export interface Proposal {
  /** Rises with every proposal of the sender. */
  readonly number: number;
  readonly command: Uint8Array;
}
export const Proposal: MessageType<Proposal> = { name: 'flotilla.raft.v1.Proposal', file: 'flotilla/raft/v1/raft.proto' };

export interface ProposeRefused {
  readonly numbers: readonly number[];
  /** The leader is handing over its office; otherwise it has too much to do. */
  readonly transferring: boolean;
}
export const ProposeRefused: MessageType<ProposeRefused> = { name: 'flotilla.raft.v1.ProposeRefused', file: 'flotilla/raft/v1/raft.proto' };

export interface Read {
  readonly id: number;
}
export const Read: MessageType<Read> = { name: 'flotilla.raft.v1.Read', file: 'flotilla/raft/v1/raft.proto' };

export interface ReadReply {
  readonly id: number;
  readonly index: number;
}
export const ReadReply: MessageType<ReadReply> = { name: 'flotilla.raft.v1.ReadReply', file: 'flotilla/raft/v1/raft.proto' };

export interface TakeOver {

}
export const TakeOver: MessageType<TakeOver> = { name: 'flotilla.raft.v1.TakeOver', file: 'flotilla/raft/v1/raft.proto' };

/** A change of the membership, on its way to the leader. */
export interface Change {
  /** Rises with every proposal of the sender. */
  readonly number: number;
  /** Whom it concerns. */
  readonly member: number;
  readonly add?: Change_Add;
  readonly promote?: Change_Promote;
  readonly remove?: Change_Remove;
  readonly update?: Change_Update;
}
export const Change: MessageType<Change> = { name: 'flotilla.raft.v1.Change', file: 'flotilla/raft/v1/raft.proto' };

export interface Change_Add {
  readonly peers: readonly string[];
  readonly staysLearner: boolean;
}
export const Change_Add: MessageType<Change_Add> = { name: 'flotilla.raft.v1.Change.Add', file: 'flotilla/raft/v1/raft.proto' };

export interface Change_Promote {

}
export const Change_Promote: MessageType<Change_Promote> = { name: 'flotilla.raft.v1.Change.Promote', file: 'flotilla/raft/v1/raft.proto' };

export interface Change_Remove {

}
export const Change_Remove: MessageType<Change_Remove> = { name: 'flotilla.raft.v1.Change.Remove', file: 'flotilla/raft/v1/raft.proto' };

export interface Change_Update {
  readonly peers: readonly string[];
}
export const Change_Update: MessageType<Change_Update> = { name: 'flotilla.raft.v1.Change.Update', file: 'flotilla/raft/v1/raft.proto' };

export interface ChangeRefused {
  readonly number: number;
  readonly reason: ChangeRefused_Reason;
}
export const ChangeRefused: MessageType<ChangeRefused> = { name: 'flotilla.raft.v1.ChangeRefused', file: 'flotilla/raft/v1/raft.proto' };

export type ChangeRefused_Reason =
  | 'NOT_READY'
  | 'CHANGE_UNDER_WAY'
  | 'MEMBER_EXISTS'
  | 'ADDRESS_TAKEN'
  | 'MEMBER_NOT_FOUND'
  | 'NOT_A_LEARNER'
  | 'NOT_CAUGHT_UP'
  | 'TOO_MANY_MEMBERS'
  | 'MAJORITY_NEEDED';
