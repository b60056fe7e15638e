import test from 'ava';
import { logIndex } from '../core/ids.ts';
import { bufferOf, textBytes } from './byte-string.ts';
import { encodeCommand } from './command-codec.ts';
import { Store } from './store.ts';

/** A store to which members describe themselves. */
class Described {
  readonly store = new Store();
  #index = 0;

  describe(member: number, name: string): void {
    this.#index += 1;
    const command = { kind: 'describe', member, name: textBytes(name), clientUrls: [] } as const;
    this.store.apply(logIndex(this.#index), encodeCommand(command));
  }

  /** The names by which these members are known. */
  names(...members: readonly number[]): readonly (string | null)[] {
    return members.map((member) => {
      const described = this.store.member(member);
      return described === undefined ? null : bufferOf(described.name).toString();
    });
  }
}

function threeMembers(): Described {
  const described = new Described();
  described.store.configured([1, 2, 3]);
  for (const member of [1, 2, 3]) described.describe(member, `host-${member}`);
  return described;
}

test('what a member said of itself goes with it, also from snapshots', (t) => {
  const described = threeMembers();
  described.store.configured([1, 2]);
  t.deepEqual(described.names(1, 2, 3), ['host-1', 'host-2', null]);
  const other = new Described();
  t.true(other.store.restore(described.store.snapshot()).ok);
  t.deepEqual(other.names(1, 2, 3), ['host-1', 'host-2', null]);
});

test('a member that was removed is not described by what it still had under way', (t) => {
  const described = threeMembers();
  described.store.configured([1, 2]);
  described.describe(3, 'host-3');
  t.deepEqual(described.names(3), [null]);
});

test('a member that is added again says anew who it is', (t) => {
  const described = threeMembers();
  described.store.configured([1, 2]);
  described.store.configured([1, 2, 4]);
  t.deepEqual(described.names(4), [null]);
  described.describe(4, 'host-3');
  t.deepEqual(described.names(3, 4), [null, 'host-3']);
  described.store.configured([1, 2, 3, 4]);
  t.deepEqual(described.names(3), [null], 'even one of the same id');
  described.describe(3, 'host-5');
  t.deepEqual(described.names(3, 4), ['host-5', 'host-3']);
});

test('what an older member left in a snapshot of members that are gone is forgotten', (t) => {
  const old = new Described();
  for (const member of [1, 2, 3]) old.describe(member, `host-${member}`);
  t.deepEqual(old.names(3), ['host-3'], 'before the log says who takes part, anybody may');
  const described = new Described();
  t.true(described.store.restore(old.store.snapshot()).ok);
  described.store.configured([1, 2]);
  t.deepEqual(described.names(1, 2, 3), ['host-1', 'host-2', null]);
});
