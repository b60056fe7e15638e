import test from 'ava';
import { PoolDatabaseClient, utf8 } from '../../../test/contract/pool-database-client.ts';
import { startMemberInMemory } from '../../../test/contract/pool-database-member.ts';
import type { Clock } from '../../ports.ts';
import { systemClock } from '../clock.ts';
import { watchBounds } from './watch-bounds.ts';

/** The system's clock, but for the interval of progress: that passes when the test says so. */
function clockOfProgress(): { readonly clock: Clock; readonly pass: () => void } {
  const due: (() => void)[] = [];
  const every: Clock['every'] = (interval, callback) => {
    if (interval !== watchBounds.progressInterval) return systemClock.every(interval, callback);
    due.push(callback);
    return () => {};
  };
  return {
    clock: { ...systemClock, every },
    pass: () => {
      for (const callback of due) callback();
    },
  };
}

test('a watch that asked for it is told how far it is, when it was quiet for an interval', async (t) => {
  const { clock, pass } = clockOfProgress();
  const member = await startMemberInMemory({ clock });
  const db = new PoolDatabaseClient(member.address);
  const watch = db.watch();
  await watch.create({ key: utf8('a'), watchId: 1n, progressNotify: true });
  await watch.create({ key: utf8('a'), watchId: 2n });
  await watch.create({ key: utf8('b'), watchId: 3n, progressNotify: true });
  const { header } = await db.put('a', '1');
  const shown = [await watch.next(), await watch.next()];
  t.deepEqual(shown.map(({ watchId }) => watchId).sort(), [1n, 2n]);
  // The first watch showed something in this interval; the third was quiet.
  pass();
  const progress = await watch.next();
  t.deepEqual([progress.watchId, progress.events.length], [3n, 0]);
  t.is(progress.header?.revision, header?.revision);
  pass();
  const both = [await watch.next(), await watch.next()];
  t.deepEqual(
    both.map(({ watchId, events }) => [watchId, events.length]),
    [
      [1n, 0],
      [3n, 0],
    ],
  );
  db.close();
  await member.close();
});
