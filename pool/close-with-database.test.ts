import test from 'ava';
import { milliseconds } from '../base/units.ts';
import { closePatience, closeWithDatabase } from './close-with-database.ts';
import { simulatedClock } from './simulated/clock.ts';

/** A database that answers nobody until it is closed. */
function silentDatabase() {
  const closed = Promise.withResolvers<void>();
  let closings = 0;
  return {
    close: () => {
      closings += 1;
      closed.resolve();
    },
    closed: closed.promise,
    closings: () => closings,
  };
}

test('what waits for a database that does not answer is cut off, and the service ends', async (t) => {
  const clock = simulatedClock();
  const database = silentDatabase();
  const closing = closeWithDatabase(database, clock, () => database.closed);
  await clock.advance(milliseconds(closePatience - 1));
  t.is(database.closings(), 0, 'an election may take so long');
  await clock.advance(milliseconds(1));
  await closing;
  t.is(database.closings(), 1);
});

test('a database that answers is closed when the service has ended, and not before', async (t) => {
  const database = silentDatabase();
  await closeWithDatabase(database, simulatedClock(), async () => {
    t.is(database.closings(), 0);
  });
  t.is(database.closings(), 1);
});
