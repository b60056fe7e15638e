import { runWorker } from './run-worker.ts';

/** The process that `client.ts` starts, where sources are run. */
await runWorker();
