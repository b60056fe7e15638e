import { poolDatabaseContract } from '../contract/pool-database.ts';
import { ConsensusCluster } from './consensus-cluster.ts';

poolDatabaseContract('three members', () => ConsensusCluster.start(3));
