import type { handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { Failure } from '../../pool/failure.ts';
import { callStatus } from '../../pool/rpc/status.ts';
import type { Input } from '../../proto/codec.ts';
import type { PoolService } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Vm, VmService } from '../../proto/gen/flotilla.vm.v1.ts';
import type { Handlers } from '../../proto/server.ts';
import type { SimulatedConsoles } from './simulated-consoles.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import type { Plan, SimulatedOperations } from './simulated-operations.ts';
import { type Kinds, type SimulatedState, secondsAgo, simulatedVm } from './simulated-state.ts';

/** What every host of a simulated pool serves: they share all of it. */
export interface SimulatedParts {
  readonly state: SimulatedState;
  readonly operations: SimulatedOperations;
  readonly consoles: SimulatedConsoles;
  readonly database: SimulatedDatabase;
}

/** Thrown by a handler to answer with a failure. */
class Refusal extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

function unary<Request, Response>(
  state: SimulatedState,
  answer: (request: Request) => Response,
): handleUnaryCall<Request, Response> {
  return (call, reply) => {
    const { failure } = state;
    if (failure !== undefined) return reply(callStatus(failure));
    try {
      reply(null, answer(call.request));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply(callStatus(error.failure));
    }
  };
}

function needed<Kind extends keyof Kinds>(
  state: SimulatedState,
  kind: Kind,
  named: string,
): Kinds[Kind] {
  const found = state.find(kind, named);
  if (found !== undefined) return found;
  throw new Refusal({
    reason: 'NOT_FOUND',
    message: `there is no ${kind} "${named}"`,
    remedy: `list them with \`flotilla ${kind} list\``,
    resource: { type: kind, name: named },
  });
}

interface WatchRequest {
  readonly resumeRevision: number;
}

function watchKind<Kind extends keyof Kinds>(
  state: SimulatedState,
  kind: Kind,
  call: ServerWritableStream<WatchRequest, unknown>,
  wants: (resource: Kinds[Kind]) => boolean = () => true,
): void {
  const send = (type: string, resource: Kinds[Kind] | null, revision: number): void => {
    call.write({ type, [kind]: resource, revision });
  };
  const { resumeRevision } = call.request;
  const from = resumeRevision === 0 ? state.revision : resumeRevision;
  if (resumeRevision === 0) {
    for (const resource of state.all(kind))
      if (wants(resource)) send('CHANGE_TYPE_CREATED', resource, 0);
    send('CHANGE_TYPE_SYNCED', null, state.revision);
  }
  const unfollow = state.follow(from, (change) => {
    if (change.kind !== kind) return;
    const resource = change.resource as Kinds[Kind];
    if (wants(resource)) send(change.type, resource, change.revision);
  });
  call.on('cancelled', unfollow);
}

/** VmService of a simulated pool. */
export function simulatedVmService(parts: SimulatedParts): Handlers<VmService> {
  const { state, operations, consoles } = parts;
  const wrongState = (message: string, remedy: string): Refusal =>
    new Refusal({ reason: 'WRONG_STATE', message, remedy });
  const put = (vm: Vm, part: Partial<Vm>): void =>
    state.put('vm', { ...(state.find('vm', vm.id) ?? vm), ...part });
  const run = (vm: Vm): void =>
    put(vm, {
      powerState: 'POWER_STATE_RUNNING',
      host: 'host-1',
      domid: 1,
      epoch: vm.epoch + 1,
      startTime: secondsAgo(0),
    });
  const halt = (vm: Vm): void =>
    put(vm, { powerState: 'POWER_STATE_HALTED', host: '', domid: 0, startTime: null });
  const plan = (verb: string, vm: Vm, steps: readonly string[], finish: () => void): Plan => ({
    verb,
    vm,
    steps,
    finish,
  });
  return {
    getVm: unary(state, (request) => needed(state, 'vm', request.vm)),
    listVms: unary(state, ({ pageSize, pageToken, filter }) => {
      const all = state.all('vm').filter((vm) => vm.name.includes(filter?.name ?? ''));
      const from = Number(pageToken);
      const vms = all.slice(from, from + pageSize);
      const end = from + vms.length;
      return { vms, nextPageToken: end < all.length ? String(end) : '' };
    }),
    watchVms: (call) => watchKind(state, 'vm', call),
    createVm: unary(state, (request) => {
      const asked: Input<Vm> = request.vm ?? {};
      if (state.find('vm', asked.name ?? '') !== undefined)
        throw new Refusal({
          reason: 'NAME_TAKEN',
          message: `there is a VM "${asked.name}" already`,
          remedy: 'choose another name',
          field: 'vm.name',
          resource: { type: 'vm', name: asked.name ?? '' },
        });
      const vm = simulatedVm(state, asked);
      const steps = [...vm.disks.map((disk) => `make disk ${disk.vdev}`), 'record the VM'];
      return operations.start(
        plan('vm.create', vm, steps, () => state.put('vm', vm)),
        request,
      );
    }),
    deleteVm: unary(state, (request) => {
      const vm = needed(state, 'vm', request.vm);
      if (vm.powerState !== 'POWER_STATE_HALTED')
        throw wrongState(
          `${vm.name} is running`,
          `stop it with \`flotilla vm shutdown ${vm.name}\``,
        );
      const finish = (): void => state.remove('vm', vm.id);
      return operations.start(plan('vm.delete', vm, ['delete its disks'], finish), request);
    }),
    startVm: unary(state, (request) => {
      const vm = needed(state, 'vm', request.vm);
      if (vm.powerState === 'POWER_STATE_RUNNING')
        throw wrongState(`${vm.name} runs already`, 'there is nothing to start');
      const steps = ['attach disk xvda', 'build the domain', 'let the guest run'];
      return operations.start(
        plan('vm.start', vm, steps, () => run(vm)),
        request,
      );
    }),
    shutdownVm: unary(state, (request) => {
      const vm = needed(state, 'vm', request.vm);
      return operations.start(
        plan('vm.shutdown', vm, ['ask the guest'], () => halt(vm)),
        request,
      );
    }),
    rebootVm: unary(state, (request) => {
      const vm = needed(state, 'vm', request.vm);
      return operations.start(
        plan('vm.reboot', vm, ['ask the guest'], () => run(vm)),
        request,
      );
    }),
    destroyVm: unary(state, (request) => {
      const vm = needed(state, 'vm', request.vm);
      return operations.start(
        plan('vm.destroy', vm, ['destroy the domain'], () => halt(vm)),
        request,
      );
    }),
    openConsole: (call) => consoles.attach(call),
  };
}

/** PoolService of a simulated pool. */
export function simulatedPoolService(parts: SimulatedParts): Handlers<PoolService> {
  const { state, operations, database } = parts;
  return {
    getPool: unary(state, () => {
      const hosts = state.all('host');
      const up = hosts.filter((host) => host.state === 'HOST_STATE_UP');
      const vms = state.all('vm');
      return {
        name: 'sea',
        hostsUp: up.length,
        hosts: hosts.length,
        databaseMembers: hosts.map((host, index) => ({
          name: host.name,
          clientAddress: database.members[index]?.address ?? '',
          leader: index === 0,
          healthy: host.state === 'HOST_STATE_UP',
        })),
        vms: vms.length,
        vmsRunning: vms.filter((vm) => vm.powerState === 'POWER_STATE_RUNNING').length,
        operationsRunning: 0,
        memoryTotal: up.reduce((sum, host) => sum + host.memoryTotal, 0),
        memoryReserved: 0,
        revision: state.revision,
      };
    }),
    getHost: unary(state, (request) => needed(state, 'host', request.host)),
    listHosts: unary(state, () => ({ hosts: state.all('host'), nextPageToken: '' })),
    watchHosts: (call) => watchKind(state, 'host', call),
    getOperation: unary(state, (request) => needed(state, 'operation', request.operation)),
    listOperations: unary(state, () => ({ operations: state.all('operation'), nextPageToken: '' })),
    watchOperations: (call) => {
      const { operation } = call.request;
      watchKind(state, 'operation', call, ({ id }) => operation === '' || operation === id);
      operations.watched(operation);
    },
    cancelOperation: unary(state, (request) => {
      needed(state, 'operation', request.operation);
      operations.cancel(request.operation);
      return needed(state, 'operation', request.operation);
    }),
  };
}
