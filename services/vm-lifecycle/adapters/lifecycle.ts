import type { ChannelCredentials } from '@grpc/grpc-js';
import { runOperations } from '../../../pool/operations/runner.ts';
import { type Mounted, mount, type RpcHandlers } from '../../../pool/rpc/handler.ts';
import { VmService } from '../../../proto/gen/flotilla.vm.v1.ts';
import { vmHandlers } from './api/handlers.ts';
import { consoleRelay } from './console/relay.ts';
import { finishes } from './drivers/finishes.ts';
import { stepDrivers } from './drivers/index.ts';
import type { Environment } from './environment.ts';
import { startReconciler } from './reconciler/reconciler.ts';

/** The VM lifecycle at work on one host. */
export interface Lifecycle {
  readonly handlers: RpcHandlers<VmService>;
  readonly mounted: Mounted;
  /** Resolves when what runs was compared with the pool for the first time. */
  readonly settled: Promise<void>;
  /** Stops at the next step's boundary. Domains run on, and operations go on after the next start. */
  close(): Promise<void>;
}

/** Runs this host's operations on VMs and keeps its domains as the pool wants them. */
export function startLifecycle(
  environment: Environment,
  credentials: ChannelCredentials,
): Lifecycle {
  const { pool, host, clock, log } = environment;
  const reconciler = startReconciler(environment);
  const runner = runOperations({
    pool,
    service: 'vm-lifecycle',
    host: host.id,
    drivers: stepDrivers(environment),
    finishes: finishes(environment),
    log,
    clock,
    onEnd: ({ state }) => {
      if (state !== 'succeeded') reconciler.sweepSoon();
    },
  });
  const handlers = vmHandlers(environment, consoleRelay(environment, credentials));
  return {
    handlers,
    mounted: mount(VmService, handlers),
    settled: reconciler.settled,
    close: async () => {
      await Promise.all([reconciler.close(), runner.close()]);
      environment.consoles.closeAll();
    },
  };
}
