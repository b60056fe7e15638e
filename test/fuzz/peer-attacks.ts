import { credentials } from '@grpc/grpc-js';
import type { Random } from '../../base/random.ts';
import { encodeEntry } from '../../consensus/adapters/entry-codec.ts';
import { logIndex, memberId, term } from '../../consensus/core/ids.ts';
import { connect } from '../../proto/client.ts';
import type { Input } from '../../proto/codec.ts';
import {
  type Greeting,
  type PeerFrame,
  type PeerMessage,
  PeerService,
} from '../../proto/gen/flotilla.raft.v1.ts';
import { type Attack, noise } from './http2-attacks.ts';

/** Whom the attacker claims to be, and to whom. */
export interface Claim {
  readonly pool: string;
  readonly from: number;
  readonly to: number;
}

/** How long the attacker listens to a member that does not end its stream. */
const patience = 300;

/** Sends frames on a stream of its own; resolves when that has ended, or nobody minds. */
function exchange(address: string, frames: readonly Input<PeerFrame>[]): Promise<void> {
  const connection = connect(address, credentials.createInsecure());
  const stream = connection.client(PeerService).exchange();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stream.cancel();
      connection.close();
      resolve();
    };
    const timer = setTimeout(end, patience);
    stream.on('error', end);
    stream.on('data', () => {});
    for (const frame of frames) stream.write(frame);
  });
}

function greeting({ pool, from, to }: Claim, change: Input<Greeting> = {}): Input<PeerFrame> {
  return { greeting: { version: 1, oldestVersion: 1, pool, from, to, ...change } };
}

/** Small ones are plausible at times; the last is none that a member could have. */
const edges = [0, 1, 2, 3, 5, 8, 13, 100, 1000, 2 ** 31, 2 ** 53 - 1, 2 ** 60];

/** An append that is whole, whatever it contradicts. */
function append(random: Random): Input<PeerMessage> {
  const previousIndex = random.below(12);
  const entries = Array.from({ length: random.below(4) }, (_, position) => {
    const command = noise(random, 30);
    const proposal = { id: { member: memberId(7), number: position }, command };
    return encodeEntry({
      index: logIndex(previousIndex + position + 1),
      term: term(random.below(3)),
      payload: random.chance(0.8) ? { kind: 'command', proposal } : { kind: 'noop' },
    });
  });
  const commit = random.below(20);
  return { append: { previousIndex, previousTerm: random.below(3), entries, commit, round: 1 } };
}

/** A message whose body is of any kind, with numbers of any size, in a term of long ago. */
function message(random: Random): Input<PeerMessage> {
  const number = () => random.pick(edges);
  const entries = () => Array.from({ length: random.below(4) }, () => noise(random, 60));
  return random.pick<() => Input<PeerMessage>>([
    () => ({}),
    () => append(random),
    () => append(random),
    () => append(random),
    () => ({ preVote: { lastIndex: number(), lastTerm: number() } }),
    () => ({ preVoteReply: { asked: number(), granted: random.chance(0.5) } }),
    () => ({ vote: { lastIndex: number(), lastTerm: number(), force: random.chance(0.5) } }),
    () => ({ voteReply: { granted: random.chance(0.5) } }),
    () => ({
      append: {
        previousIndex: number(),
        previousTerm: number(),
        entries: entries(),
        commit: number(),
        round: number(),
      },
    }),
    () => ({ appendReply: { match: number(), round: number() } }),
    () => ({
      appendRejected: {
        rejected: number(),
        hintIndex: number(),
        hintTerm: number(),
        round: number(),
      },
    }),
    () => ({ heartbeat: { commit: number(), match: number(), round: number() } }),
    () => ({ heartbeatReply: { round: number() } }),
    () => ({ commit: { commit: number(), match: number() } }),
    () => ({
      snapshotChunk: {
        index: number(),
        term: number(),
        voters: [number()],
        offset: number(),
        data: noise(random, 100),
        last: random.chance(0.5),
      },
    }),
    () => ({
      snapshotReply: { index: number(), received: number(), installed: random.chance(0.5) },
    }),
    () => ({ propose: { proposals: [{ number: number(), command: noise(random, 60) }] } }),
    () => ({ proposeRefused: { numbers: [number()], transferring: random.chance(0.5) } }),
    () => ({ change: { number: number(), member: number(), remove: {} } }),
    () => ({ changeRefused: { number: number() } }),
    () => ({ read: { id: number() } }),
    () => ({ readReply: { id: number(), index: number() } }),
  ])();
}

/** Attacks by somebody whom the member does not take for one of the pool. */
export function strangers(claim: Claim): readonly Attack[] {
  const messages = (random: Random): Input<PeerFrame> => ({
    messages: { messages: Array.from({ length: 20 }, () => ({ term: 1, ...message(random) })) },
  });
  const stranger = (name: string, frames: (random: Random) => readonly Input<PeerFrame>[]) => ({
    name,
    run: (address: string, _path: string, random: Random) => exchange(address, frames(random)),
  });
  return [
    stranger('messages without a greeting', (random) => [messages(random)]),
    stranger('a greeting of another pool', (random) => [
      greeting(claim, { pool: 'elsewhere' }),
      messages(random),
    ]),
    stranger('a greeting to somebody else', (random) => [
      greeting(claim, { to: 5 }),
      messages(random),
    ]),
    stranger('a greeting by nobody', () => [greeting(claim, { from: 0 })]),
    stranger('a greeting of the far future', () => [
      greeting(claim, { version: 2 ** 31, oldestVersion: 2 ** 30 }),
    ]),
    stranger('a frame of nothing', () => [{}]),
    stranger('a greeting with a pool of a megabyte', () => [
      greeting(claim, { pool: 'p'.repeat(2 ** 20) }),
    ]),
  ];
}

/** What a member of the pool may say that went mad: nothing of it may end the process. */
export function madMember(claim: Claim): Attack {
  return {
    name: 'a member that sends anything',
    run: async (address, _path, random) => {
      for (let count = 0; count < 20; count += 1) {
        const frames = Array.from({ length: 10 }, () => ({
          messages: { messages: [{ term: random.pick([0, 1, 2, 3, count]), ...message(random) }] },
        }));
        await exchange(address, [greeting(claim), ...frames]);
      }
    },
  };
}
