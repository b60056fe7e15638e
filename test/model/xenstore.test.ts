import test from 'ava';
import fc from 'fast-check';
import { Conversation } from '../golden/xenstore/conversation.ts';
import { type NaiveChange, NaiveXenstore } from './xenstore-naive.ts';

/** Connection 1 is of domain 0; 7 and 8 are of the guests 7 and 8. Few names, so that they meet. */
const connections = [1, 7, 8];
const paths = ['/', '/a', '/a/b', '/a/b/c', '/a/d', '/e', '/e/f/g', '/local/domain/7/x'];
const depthless = 1_000;

const connectionOf = fc.constantFrom(...connections);
const pathOf = fc.constantFrom(...paths);
const permissionOf = fc
  .tuple(fc.constantFrom('n', 'r', 'w', 'b'), fc.constantFrom(0, 7, 8))
  .map(([letter, domain]) => `${letter}${domain}`);

/** One thing that happens; the transaction is the one that was begun so many before, or none. */
const commandOf = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('WRITE' as const, 'MKDIR', 'RM', 'SET_PERMS'),
      by: connectionOf,
      path: pathOf,
      value: fc.constantFrom('', 'x', 'yy'),
      permissions: fc.array(permissionOf, { minLength: 1, maxLength: 3 }),
      back: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('READ' as const, 'GET_PERMS', 'DIRECTORY'),
      by: connectionOf,
      path: pathOf,
      back: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin' as const), by: connectionOf }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      by: connectionOf,
      back: fc.integer({ min: 1, max: 3 }),
      commit: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('watch' as const, 'unwatch'),
      by: connectionOf,
      path: pathOf,
      token: fc.constantFrom('s', 't'),
      depth: fc.constantFrom(0, 1, depthless),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('die' as const), by: fc.constantFrom(7, 8) }),
  },
);
type Command = typeof commandOf extends fc.Arbitrary<infer Each> ? Each : never;

/** Both stores, told the same. */
class Pair {
  readonly #talk = new Conversation([1]);
  readonly #naive = new NaiveXenstore();
  /** Transactions that were begun by each connection, newest first. */
  readonly #begun = new Map<number, number[]>();

  constructor() {
    for (const domain of [7, 8]) this.#talk.introduce(domain);
    for (const name of ['watches', 'transactions', 'outstanding'])
      for (const domain of [7, 8]) this.#talk.say(1, 'SET_QUOTA', `${domain}|${name}|0|`);
  }

  check(): readonly string[] {
    return this.#talk.store.check();
  }

  /** What each of them says, events in a fixed order. */
  run(command: Command): readonly [string, string] {
    const naive = this.#toldNaive(command);
    const said = this.#told(command);
    this.#talk.takeAll();
    return [said, [naive, ...each(this.#naive.events)].join('\n')];
  }

  #transaction(by: number, back: number): number {
    return back === 0 ? 0 : (this.#begun.get(by)?.[back - 1] ?? 0);
  }

  #toldNaive(command: Command): string {
    const { by } = command;
    const domain = by < 5 ? 0 : by;
    switch (command.kind) {
      case 'READ':
      case 'GET_PERMS':
      case 'DIRECTORY': {
        const said = this.#naive.read(
          domain,
          command.kind,
          command.path,
          this.#transaction(by, command.back),
        );
        return said;
      }
      case 'begin':
        return this.#naive.begin(domain);
      case 'end':
        return this.#naive.end(domain, this.#transaction(by, command.back), command.commit);
      case 'watch':
        return this.#naive.watch(domain, command.path, command.token, command.depth);
      case 'unwatch':
        return this.#naive.unwatch(domain, command.path, command.token);
      case 'die':
        this.#naive.die(by);
        return '';
      default: {
        const change: NaiveChange = command;
        return this.#naive.change(domain, change, this.#transaction(by, command.back));
      }
    }
  }

  #told(command: Command): string {
    const { by } = command;
    switch (command.kind) {
      case 'READ':
      case 'GET_PERMS':
      case 'DIRECTORY':
      case 'MKDIR':
      case 'RM':
        return this.#say(
          by,
          `${command.kind}@${this.#transaction(by, command.back)}`,
          `${command.path}|`,
        );
      case 'WRITE':
        return this.#say(
          by,
          `WRITE@${this.#transaction(by, command.back)}`,
          `${command.path}|${command.value}`,
        );
      case 'SET_PERMS':
        return this.#say(
          by,
          `SET_PERMS@${this.#transaction(by, command.back)}`,
          `${command.path}|${command.permissions.map((each) => `${each}|`).join('')}`,
        );
      case 'begin': {
        const said = this.#say(by, 'TRANSACTION_START', '|');
        this.#begun.set(by, [Number(said.slice(0, -1)), ...(this.#begun.get(by) ?? [])]);
        return said;
      }
      case 'end':
        return this.#say(
          by,
          `TRANSACTION_END@${this.#transaction(by, command.back)}`,
          command.commit ? 'T|' : 'F|',
        );
      case 'watch':
        return this.#say(
          by,
          'WATCH',
          `${command.path}|${command.token}|${command.depth === depthless ? '' : `${command.depth}|`}`,
        );
      case 'unwatch':
        return this.#say(by, 'UNWATCH', `${command.path}|${command.token}|`);
      case 'die': {
        const said = this.#talk.gone(by).filter((line) => !line.startsWith('close'));
        this.#talk.introduce(by);
        this.#begun.delete(by);
        for (const name of ['watches', 'transactions', 'outstanding'])
          this.#talk.say(1, 'SET_QUOTA', `${by}|${name}|0|`);
        return ['', ...events(said)].join('\n');
      }
    }
  }

  /** The reply in the naive store's words, then the events. */
  #say(by: number, request: string, text: string): string {
    const lines = this.#talk
      .say(by, request, text)
      .filter((line) => !/^(hold|let go|wake)/.test(line));
    const reply = lines.find((line) => !line.includes(' WATCH_EVENT ')) ?? '';
    const [, kind = '', content = ''] = /^\d+ (\S+) (.*)$/s.exec(reply) ?? [];
    return [`${kind === 'ERROR' ? '!' : ''}${content}`, ...events(lines)].join('\n');
  }
}

/** Events as the naive store writes them, by domain. */
function events(lines: readonly string[]): readonly string[] {
  const matches = lines
    .map((line) => /^(\d+) WATCH_EVENT ([^|]*)\|([^|]*)\|$/.exec(line))
    .filter((match) => match !== null);
  return each(matches.map(([, to, path, token]) => `${to === '1' ? 0 : to} ${path} ${token}`));
}

/** Each event once, in a fixed order: what is on its way is not sent again (X33). */
function each(all: readonly string[]): readonly string[] {
  return [...new Set(all)].sort();
}

test('the core says what a naive store says, whatever is asked, and its sums agree', (t) => {
  const holds = () =>
    fc.assert(
      fc.property(fc.array(commandOf, { maxLength: 60, size: 'max' }), (commands) => {
        const pair = new Pair();
        for (const command of commands) {
          const [said, expected] = pair.run(command);
          if (said !== expected)
            throw new Error(
              `${JSON.stringify(command)}\n  the core: ${said}\n  expected: ${expected}`,
            );
        }
        const faults = pair.check();
        if (faults.length > 0) throw new Error(faults.join('\n'));
      }),
      { numRuns: Number(process.env.MODEL_RUNS ?? 500), includeErrorInReport: true },
    );
  t.notThrows(holds);
});
