import type { RpcHandlers } from '../../../../pool/rpc/handler.ts';
import type { VmService } from '../../../../proto/gen/flotilla.vm.v1.ts';
import type { ConsoleRelay } from '../console/relay.ts';
import type { Environment } from '../environment.ts';
import { createVm } from './create.ts';
import { deleteVm } from './delete.ts';
import { listVms, readVm, watchVms } from './read.ts';
import { startVm } from './start.ts';
import { destroyVm, rebootVm, shutdownVm } from './stop.ts';
import { updateVm } from './update.ts';

/** VmService, as every host answers it. */
export function vmHandlers(
  environment: Environment,
  consoles: ConsoleRelay,
): RpcHandlers<VmService> {
  const { pool } = environment;
  return {
    getVm: ({ vm }) => readVm(pool, vm),
    listVms: (request) => listVms(pool, request),
    watchVms: (request, call) => watchVms(pool, request, call),
    createVm: (request) => createVm(environment, request),
    updateVm: (request) => updateVm(environment, request),
    deleteVm: (request) => deleteVm(environment, request),
    startVm: (request) => startVm(environment, request),
    shutdownVm: (request) => shutdownVm(environment, request),
    rebootVm: (request) => rebootVm(environment, request),
    destroyVm: (request) => destroyVm(environment, request),
    openConsole: (call) => consoles.answer(call),
  };
}
