import { firstConfiguration, logStoreSuite } from '../../../test/contract/log-store.ts';
import { blankDisk, MemoryLogStore } from './log-store.ts';

logStoreSuite('memory', async () => {
  const disk = blankDisk(firstConfiguration);
  return { open: async () => new MemoryLogStore(disk), remove: async () => {} };
});
