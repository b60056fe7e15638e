import { milliseconds } from '../../base/units.ts';
import { databaseContract } from '../../test/contract/database.ts';
import { simulatedClock } from './clock.ts';
import { simulatedDatabase } from './database.ts';

databaseContract('the simulated database', async () => {
  const clock = simulatedClock();
  const database = simulatedDatabase({ clock });
  let opened = 0;
  return {
    open: () => {
      opened += 1;
      return opened === 1 ? database : simulatedDatabase({ clock });
    },
    compact: async (revision) => database.compact(revision),
    wait: (seconds) => clock.advance(milliseconds(seconds * 1000)),
    close: async () => {},
  };
});
