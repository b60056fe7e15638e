import { poolDatabaseContract } from './pool-database.ts';
import { startMemberInMemory } from './pool-database-member.ts';

poolDatabaseContract('one member in memory', async () => {
  const member = await startMemberInMemory();
  return { endpoints: [member.address], close: () => member.close() };
});
