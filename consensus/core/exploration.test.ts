import test from 'ava';
import { type Random, seededRandom } from '../../base/random.ts';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { membersOf } from './configuration.ts';
import { type MemberId, memberId } from './ids.ts';
import type { Outputs } from './output.ts';
import type { Raft } from './raft.ts';

/** `EXPLORE=3000 npx ava consensus/core/exploration.test.ts` looks at more pools. */
const pools = Number(process.env.EXPLORE ?? 60);
const steps = 3000;
const membersMax = 20;

/** A pool to which anything may happen in any order, and what must hold all the while. */
class Exploration {
  readonly #random: Random;
  readonly #pool: CorePool;
  readonly #start: readonly MemberId[];
  readonly #leaders = new Map<number, MemberId>();
  readonly #committed = new Map<number, string>();

  constructor(seed: number) {
    const random = seededRandom(seed);
    const voters = 1 + random.below(5);
    this.#random = random;
    this.#pool = new CorePool(voters, { trailingEntries: random.below(4) }, (raft, outputs) =>
      this.#check(raft, outputs),
    );
    this.#start = [...this.#pool.rafts.keys()];
  }

  get #ids(): readonly MemberId[] {
    return [...this.#pool.rafts.keys()];
  }

  get #leading(): readonly MemberId[] {
    return this.#ids.filter((id) => this.#pool.raft(id).role === 'leader');
  }

  #check(raft: Raft, { committed, contradictions, lost }: Outputs): void {
    for (const { from, detail } of contradictions)
      throw new Error(`${raft.id} does not listen to ${from}: ${detail}`);
    if (lost !== null) throw new Error(lost);
    if (raft.role === 'leader') {
      const known = this.#leaders.get(raft.term) ?? raft.id;
      if (known !== raft.id) throw new Error(`${known} and ${raft.id} lead term ${raft.term}`);
      this.#leaders.set(raft.term, raft.id);
    }
    for (const { index, term, payload } of committed) {
      const what = `${term} ${JSON.stringify(payload)}`;
      const known = this.#committed.get(index) ?? what;
      if (known !== what) throw new Error(`two entries are committed at ${index}`);
      this.#committed.set(index, what);
    }
  }

  act(): void {
    const random = this.#random;
    const pool = this.#pool;
    const id = random.pick(this.#ids);
    const dice = random.below(100);
    if (dice < 30) pool.tick(id, random.pick([10, 20, 20, 20, 60, 150]), random.below(100) / 100);
    else if (dice < 72) this.#deliver();
    else if (dice < 84) pool.persist(id, 1 + random.below(3));
    else if (dice < 86) pool.drop(() => random.chance(0.1));
    else if (dice < 87 && random.chance(0.3)) pool.restart(id);
    else if (dice < 91) pool.propose(id, 'x');
    else if (dice < 96) this.#change(random.pick([id, ...this.#leading]));
    else if (dice < 98) pool.step(id, { kind: 'transfer', to: random.pick(this.#ids) });
    else if (dice < 99) pool.step(id, { kind: 'unreachable', member: random.pick(this.#ids) });
    else if (pool.raft(id).delivered > 0) pool.snapshot(id);
  }

  /** Some messages arrive, in any order, and some of them twice. */
  #deliver(): void {
    const random = this.#random;
    const { messages } = this.#pool;
    // What is on its way is bounded; the oldest are lost.
    if (messages.length > 400) this.#pool.messages = messages.slice(-200);
    const from = random.chance(0.3) ? random.below(messages.length + 1) : 0;
    const some = this.#pool.messages.slice(from, from + 1 + random.below(8));
    this.#pool.deliver((message) => some.includes(message));
    if (random.chance(0.1)) this.#pool.messages.push(...some);
  }

  #change(at: MemberId): void {
    const random = this.#random;
    const next = memberId(Math.max(...this.#ids) + 1);
    const members = membersOf(this.#pool.raft(at).log.configuration);
    const member = random.pick(members.length === 0 ? [next] : members);
    const dice = random.below(5);
    if (dice < 2 && next <= membersMax) {
      const peers = [`host${next}:1`];
      const staysLearner = random.chance(0.3);
      this.#pool.change(at, { kind: 'add', member: next, peers, staysLearner });
      this.#pool.join(next, this.#start);
    } else this.#pool.change(at, { kind: dice === 2 ? 'promote' : 'remove', member });
  }

  /** Nothing fails any more. Returns what is not as it should be in the end. */
  settle(): readonly string[] {
    for (let i = 0; i < 400; i += 1) {
      for (const id of this.#ids) this.#pool.tick(id, 20, this.#random.below(100) / 100);
      this.#pool.settle();
    }
    const [leader, ...others] = this.#leading;
    if (leader === undefined || others.length > 0) return [`${this.#leading.length} members lead`];
    const { log, commit } = this.#pool.raft(leader);
    const behind = membersOf(log.configuration).filter(
      (member) => this.#pool.raft(member).commit !== commit,
    );
    return [
      ...behind.map((member) => `${member} is behind`),
      ...log.configuration.joining.map((member) => `${member} still joins`),
    ];
  }
}

test('whatever happens in whatever order, no two members lead a term, commit different entries or call each other liars, and all end as one pool', (t) => {
  for (let seed = 1; seed <= pools; seed += 1) {
    const exploration = new Exploration(seed);
    t.notThrows(() => {
      for (let i = 0; i < steps; i += 1) exploration.act();
    }, `seed ${seed}`);
    t.deepEqual(exploration.settle(), [], `seed ${seed}`);
  }
});
