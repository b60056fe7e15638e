import test from 'ava';
import fc from 'fast-check';
import { NaiveStore } from '../../test/model/naive-store.ts';
import { allKeys, manyCommandsOf, rangeOf, revisionOf } from '../../test/model/store-commands.ts';
import { encodeCommand } from './command-codec.ts';
import { inRange } from './key-range.ts';
import type { Command } from './request.ts';
import { Store } from './store.ts';
import type { Revision, Version } from './version.ts';
import type { WatchRequest } from './watch-hub.ts';

/** What happens to a follower at one step. */
const eventOf = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'apply' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), ahead: fc.nat(8) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const), limit: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('trim' as const), limit: fc.nat(5) }) },
);

/** What a watch has shown, and whether it ended because what it owed was compacted. */
class Observer {
  readonly seen: string[] = [];
  compacted = false;
  #store: Store;
  readonly #watcher: ReturnType<Store['watches']['open']>;
  /** It was woken since it last took all that there was. */
  woken = false;

  constructor(store: Store, request: Omit<WatchRequest, 'wake'>) {
    this.#store = store;
    this.woken = request.start <= store.revision;
    const wake = () => {
      this.woken = true;
    };
    this.#watcher = store.watches.open({ ...request, wake });
  }

  /** As a stream does: it takes when it was woken, and again while there is more. */
  take(limit: number): void {
    if (!this.woken || this.compacted) return;
    const taken = this.#store.watches.take(this.#watcher, limit + 1);
    if (taken.kind === 'compacted') this.compacted = true;
    else {
      this.seen.push(...taken.versions.map(shown));
      this.woken = taken.more;
    }
  }
}

function shown({ key, modRevision, sub, version, value }: Version): string {
  return JSON.stringify({ key, modRevision, sub, version, value });
}

/** What the leader's changes are, as a watch would show them. */
function owed(events: ReturnType<NaiveStore['events']>): readonly string[] {
  let previous = 0;
  let sub = 0;
  return events.map(({ key, mod, version, value }) => {
    sub = mod === previous ? sub + 1 : 0;
    previous = mod;
    return JSON.stringify({ key, modRevision: mod, sub, version, value });
  });
}

test('a watch never skips and never repeats, though snapshots replace the store under it', (t) => {
  fc.assert(
    fc.property(
      manyCommandsOf,
      fc.array(eventOf, { minLength: 40, maxLength: 160 }),
      fc.oneof(rangeOf, fc.constant(allKeys)),
      fc.record({ start: revisionOf, puts: fc.boolean(), deletes: fc.boolean() }),
      fc.nat(60),
      (commands, happenings, range, options, openAt) => {
        const follower = new Store();
        let applied = 0;
        const apply = (store: Store, command: Command | undefined) => {
          if (command !== undefined) store.apply(1, encodeCommand(command));
        };
        const start = Math.max(1, options.start) as Revision;
        const open = () => new Observer(follower, { range, ...options, start });
        let observer: Observer | null = null;
        const steps = [...happenings, ...commands.map(() => ({ kind: 'apply' as const }))];
        for (const [at, step] of steps.entries()) {
          if (at === openAt) observer = open();
          switch (step.kind) {
            case 'apply':
              apply(follower, commands[applied]);
              applied = Math.min(applied + 1, commands.length);
              break;
            case 'restore': {
              // A leader that is some commands ahead sends all it has.
              const leader = new Store();
              applied = Math.min(applied + step.ahead, commands.length);
              for (const command of commands.slice(0, applied)) apply(leader, command);
              leader.trim(step.ahead);
              t.true(follower.restore(leader.snapshot()).ok);
              break;
            }
            case 'take':
              observer?.take(step.limit);
              break;
            case 'trim':
              follower.trim(step.limit);
          }
        }
        observer ??= open();
        while (observer.woken && !observer.compacted) observer.take(3);
        const naive = new NaiveStore();
        for (const command of commands) naive.apply(command);
        const events = naive.events();
        const all = owed(events).filter((_, at) => {
          const event = events[at];
          if (event === undefined || event.mod < start || !inRange(range, event.key)) return false;
          return event.version === 0 ? options.deletes : options.puts;
        });
        t.deepEqual(observer.seen, observer.compacted ? all.slice(0, observer.seen.length) : all);
      },
    ),
    { numRuns: 500 },
  );
});
