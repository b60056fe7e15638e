import test from 'ava';
import { type Random, seededRandom } from '../../base/random.ts';
import { decodeFrame, decodeMessages } from '../../consensus/adapters/peers/read-frame.ts';
import { encodeMessages } from '../../consensus/adapters/peers/write-frame.ts';
import { configurationOf } from '../../consensus/core/configuration.ts';
import type { Entry } from '../../consensus/core/entry.ts';
import {
  type LogIndex,
  logIndex,
  type MemberId,
  memberId,
  term,
} from '../../consensus/core/ids.ts';
import type { MembershipChange } from '../../consensus/core/membership.ts';
import type { Message, MessageBody } from '../../consensus/core/message.ts';
import { CorePool } from '../golden/raft/core-pool.ts';

/** `FLOTILLA_SEED=N` begins there, `FLOTILLA_SEEDS=N` tries so many. */
const firstSeed = Number(process.env.FLOTILLA_SEED ?? 1);
const seeds = Number(process.env.FLOTILLA_SEEDS ?? 40);
const steps = 1500;

/** It takes part like the others, and beside that says what it likes. */
const liar = memberId(3);

/** Says anything in the name of the liar: made up, or something that was said, changed. */
class Lies {
  readonly #random: Random;
  readonly #pool: CorePool;

  constructor(random: Random, pool: CorePool) {
    this.#random = random;
    this.#pool = pool;
  }

  /** What arrives of it at the other end of a stream: null where that is no message. */
  next(): Message | null {
    const random = this.#random;
    const to = random.pick([1, 2].map(memberId));
    const { messages } = this.#pool;
    if (messages.length > 0 && random.chance(0.5))
      return this.#arriving(this.#changed(random.pick(messages)), to);
    const at = term(this.#near(this.#pool.raft(to).term));
    return this.#arriving(encodeMessages([{ from: liar, to, term: at, ...this.#body(to) }]), to);
  }

  #arriving(bytes: Buffer, to: MemberId): Message | null {
    try {
      const frame = decodeFrame(bytes);
      return frame.kind === 'messages'
        ? (decodeMessages(liar, to, frame.bytes)?.[0] ?? null)
        : null;
    } catch {
      // gRPC ends a stream whose frames cannot be decoded.
      return null;
    }
  }

  /** A number that is plausible, nearly so, or not at all. */
  #near(value: number): number {
    const random = this.#random;
    if (random.chance(0.03)) return random.pick([2 ** 31, 2 ** 33, 2 ** 53 - 1]);
    return Math.max(0, value + random.pick([0, 0, 0, 0, 1, -1, 1, 2, -2, 5]));
  }

  #index(to: MemberId): LogIndex {
    const { log, commit } = this.#pool.raft(to);
    const base = this.#random.pick([log.lastIndex, commit, log.base.index, logIndex(0)]);
    return logIndex(this.#near(base));
  }

  #entries(after: LogIndex, last: number): readonly Entry[] {
    const random = this.#random;
    let at = last;
    return Array.from({ length: random.below(5) }, (_, position): Entry => {
      at += random.below(2);
      const id = { member: random.pick([1, 2, 3].map(memberId)), number: this.#near(5) };
      const voters = Array.from({ length: random.below(5) }, () => memberId(random.below(6)));
      const payload = random.pick<() => Entry['payload']>([
        () => ({ kind: 'noop' }),
        () => ({ kind: 'command', proposal: { id, command: Buffer.from('lie') } }),
        () => ({ kind: 'configuration', configuration: configurationOf(voters), proposal: id }),
      ])();
      return { index: logIndex(after + position + 1), term: term(at), payload };
    });
  }

  #change(): MembershipChange {
    const random = this.#random;
    const member = memberId(random.below(6));
    const peers = [`host${random.below(6)}:1`];
    return random.pick<MembershipChange>([
      { kind: 'add', member, peers, staysLearner: random.chance(0.5) },
      { kind: 'promote', member },
      { kind: 'remove', member },
      { kind: 'update', member, peers },
    ]);
  }

  #body(to: MemberId): MessageBody {
    const random = this.#random;
    const { log, term: current } = this.#pool.raft(to);
    const index = this.#index(to);
    const other = this.#index(to);
    const at = term(random.chance(0.6) ? (log.termAt(index) ?? 0) : this.#near(current));
    const round = this.#near(1);
    const yes = random.chance(0.5);
    const configuration = configurationOf([1, 2, 3].slice(random.below(4)).map(memberId));
    return random.pick<() => MessageBody>([
      () => ({ kind: 'pre-vote', lastIndex: index, lastTerm: at }),
      () => ({ kind: 'pre-vote-reply', asked: term(this.#near(current)), granted: yes }),
      () => ({ kind: 'vote', lastIndex: index, lastTerm: at, force: yes }),
      () => ({ kind: 'vote-reply', granted: yes }),
      () => ({
        ...{ kind: 'append', previousIndex: index, previousTerm: at },
        ...{ entries: this.#entries(index, at), commit: other, round },
      }),
      () => ({ kind: 'append-reply', match: index, round }),
      () => ({
        ...{ kind: 'append-rejected', rejected: index, hintIndex: other, hintTerm: at, round },
      }),
      () => ({ kind: 'heartbeat', commit: index, match: other, round }),
      () => ({ kind: 'heartbeat-reply', round }),
      () => ({ kind: 'commit', commit: index, match: other }),
      () => ({
        ...{ kind: 'snapshot-chunk', snapshot: { index, term: at, configuration } },
        ...{ offset: random.pick([0, 0, 3, 10]), data: Buffer.from('lie'), last: yes },
      }),
      () => ({ kind: 'snapshot-reply', index, received: this.#near(10), installed: yes }),
      () => ({
        kind: 'propose',
        proposals: Array.from({ length: random.below(4) }, (_, i) => ({
          ...{ id: { member: liar, number: this.#near(i) }, command: Buffer.from('lie') },
        })),
      }),
      () => ({ kind: 'propose-refused', numbers: [round, other], reason: 'transferring' }),
      () => ({ kind: 'change', number: this.#near(9), change: this.#change() }),
      () => ({ kind: 'change-refused', number: round, reason: 'not-ready' }),
      () => ({ kind: 'read', id: round }),
      () => ({ kind: 'read-reply', id: round, index }),
      () => ({ kind: 'take-over' }),
    ])();
  }

  /** The bytes of what somebody has said, some of them changed. */
  #changed(message: Message): Buffer {
    const bytes = encodeMessages([message]);
    for (let count = this.#random.below(4); count > 0; count -= 1)
      bytes[this.#random.below(bytes.byteLength)] = this.#random.below(256);
    return bytes;
  }
}

/** Lets the pool live among lies; returns what happened to the others. */
function live(seed: number): {
  readonly told: number;
  readonly lost: number;
  readonly committed: number;
} {
  const random = seededRandom(seed);
  let [told, lost, committed] = [0, 0, 0];
  const pool = new CorePool(3, { trailingEntries: random.below(4) }, (raft, outputs) => {
    for (const { from } of outputs.contradictions) if (from === liar) told += 1;
    // It stops; in this pool it goes on, and so meets more.
    if (outputs.lost !== null) lost += 1;
    if (raft.id !== liar) committed += outputs.committed.length;
  });
  const lies = new Lies(random, pool);
  const liesOf100 = random.pick([2, 5, 15, 40]);
  for (let step = 0; step < steps; step += 1) {
    const id = random.pick([1, 2, 3]);
    const dice = random.below(63);
    if (random.below(100) < liesOf100) {
      const lie = lies.next();
      if (lie !== null) pool.messages.push(lie);
    } else if (dice < 20) pool.tick(id, random.pick([10, 20, 20, 60]), random.below(100) / 100);
    else if (dice < 45) pool.deliver(() => random.chance(0.7));
    else if (dice < 55) pool.persist(id, 1 + random.below(3));
    else if (dice < 60) pool.propose(id, 'x');
    else if (dice < 61) pool.step(id, { kind: 'transfer', to: memberId(random.pick([1, 2, 3])) });
    else if (dice < 62) pool.step(id, { kind: 'read', id: step });
    else if (pool.raft(id).delivered > pool.raft(id).snapshot.index) pool.snapshot(id);
    if (pool.messages.length > 400) pool.messages = pool.messages.slice(-200);
  }
  return { told, lost, committed };
}

test('whatever a member of the pool says, the others go on, or stop where only that is safe', (t) => {
  const sum = { told: 0, lost: 0, committed: 0 };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1)
    t.notThrows(() => {
      const { told, lost, committed } = live(seed);
      sum.told += told;
      sum.lost += lost;
      sum.committed += committed;
    }, `seed ${seed}`);
  t.log(sum);
  t.true(sum.told > 0 && sum.committed > 0);
});
