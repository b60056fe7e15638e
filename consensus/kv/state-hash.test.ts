import test from 'ava';
import fc from 'fast-check';
import { commandsOf, manyCommandsOf } from '../../test/model/store-commands.ts';
import { encodeCommand } from './command-codec.ts';
import type { Command } from './request.ts';
import type { KvHash, Turns } from './state-hash.ts';
import { Store } from './store.ts';
import type { LeaseId, Revision } from './version.ts';

function applyAll(store: Store, commands: readonly Command[]): void {
  for (const [index, command] of commands.entries()) store.apply(index, encodeCommand(command));
}

function end(turns: Turns<KvHash>): KvHash {
  for (;;) {
    const turn = turns.next();
    if (turn.done === true) return turn.value;
  }
}

/** The hash at a revision, 0 for now; or why there is none. */
function hashOf(store: Store, revision = 0): KvHash | string {
  const turns = store.hash(revision as Revision);
  return turns.ok ? end(turns.value) : turns.error;
}

test('members that hold the same have the same hash at every revision, however much they freed', (t) => {
  fc.assert(
    fc.property(commandsOf, manyCommandsOf, fc.nat(20), (before, after, freed) => {
      const leader = new Store();
      applyAll(leader, before);
      const follower = new Store();
      t.true(follower.restore(leader.snapshot()).ok);
      applyAll(leader, after);
      applyAll(follower, after);
      while (follower.trim(7));
      leader.trim(freed);
      for (let revision = 0; revision <= leader.revision + 1; revision += 1)
        t.deepEqual(hashOf(leader, revision), hashOf(follower, revision));
    }),
    { numRuns: 100 },
  );
});

test('a hash is of the moment at which it was begun, and nothing is freed before it ends', (t) => {
  fc.assert(
    fc.property(manyCommandsOf, manyCommandsOf, (before, after) => {
      const store = new Store();
      applyAll(store, before);
      const wanted = hashOf(store);
      const turns = store.hash(0 as Revision);
      if (!turns.ok) return;
      turns.value.next();
      applyAll(store, after);
      t.deepEqual(end(turns.value), wanted);
      while (store.trim(1000));
      const again = new Store();
      t.true(again.restore(store.snapshot()).ok);
      t.deepEqual(hashOf(store), hashOf(again));
    }),
    { numRuns: 100 },
  );
});

test('any difference in what is stored makes another hash', (t) => {
  const put = (key: string, value: string, lease = 0n) =>
    ({
      kind: 'put',
      key,
      value,
      lease: lease as LeaseId,
      withPrevious: false,
      ignoreValue: false,
      ignoreLease: false,
    }) as Command;
  const grant: Command = { kind: 'grant', id: 1n as LeaseId, ttl: 60 };
  const variants: readonly Command[][] = [
    [],
    [put('a', '1')],
    [put('a', '2')],
    [put('b', '1')],
    [put('a', '1', 1n)],
    [put('a', '1'), put('a', '1')],
    [put('a', '1'), put('b', '1')],
    [put('b', '1'), put('a', '1')],
    [put('a', '0'), put('a', '1')],
    [put('a', '0'), put('a', '1'), { kind: 'compact', revision: 3 as Revision }],
  ];
  const hashes = variants.map((commands) => {
    const store = new Store();
    applyAll(store, [grant, ...commands]);
    const found = hashOf(store);
    return typeof found === 'string' ? found : found.hash;
  });
  t.is(new Set(hashes).size, variants.length);
  t.is(hashOf(new Store(), 2), 'future-revision');
});
