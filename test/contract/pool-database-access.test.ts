import { poolDatabaseAccessContract } from './pool-database-access.ts';

poolDatabaseAccessContract('consensus');
