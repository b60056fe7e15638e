import type { ChannelCredentials } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { VmRecord } from '../../../../pool/records/vm.ts';
import type { DuplexCall } from '../../../../pool/rpc/handler.ts';
import { failureOf, isServiceError } from '../../../../pool/rpc/status.ts';
import { connect } from '../../../../proto/client.ts';
import {
  type ConsoleInput,
  type ConsoleOutput,
  VmService,
} from '../../../../proto/gen/flotilla.vm.v1.ts';
import { readHost } from '../api/situation.ts';
import type { Environment } from '../environment.ts';
import type { VmConsole } from './hub.ts';

type ConsoleCall = DuplexCall<ConsoleInput, ConsoleOutput>;

/** Answers OpenConsole on any host. */
export interface ConsoleRelay {
  answer(call: ConsoleCall): Promise<Result<void, Failure>>;
}

/**
 * Answers from this host's hub where the VM runs here, and otherwise passes the bytes between the
 * caller and the vm-lifecycle service of the VM's host.
 */
export function consoleRelay(
  environment: Environment,
  credentials: ChannelCredentials,
): ConsoleRelay {
  const { pool, host, consoles } = environment;
  return {
    answer: async (call) => {
      const requests = call.requests[Symbol.asyncIterator]();
      const first = await requests.next();
      const name = first.done === true ? '' : first.value.vm;
      if (name === '') return fail(noVm);
      const stored = await pool.vms.find(name);
      if (!stored.ok) return stored;
      const { record } = stored.value;
      if (record.host === null) return fail(halted(record));
      if (record.host === host.id) {
        const local = consoles.find(record.id);
        return local === null ? fail(halted(record)) : attach(call, requests, local);
      }
      const address = await addressOf(environment, record);
      if (!address.ok) return address;
      return forward(call, requests, record.id, address.value, credentials);
    },
  };
}

async function attach(
  call: ConsoleCall,
  requests: AsyncIterator<ConsoleInput>,
  console: VmConsole,
): Promise<Result<void, Failure>> {
  void pump(requests, (data) => console.write(data));
  for await (const data of console.output(call.signal)) await call.send({ data });
  return ok(undefined);
}

async function forward(
  call: ConsoleCall,
  requests: AsyncIterator<ConsoleInput>,
  vm: string,
  address: string,
  credentials: ChannelCredentials,
): Promise<Result<void, Failure>> {
  const connection = connect(address, credentials);
  try {
    const stream = connection.client(VmService).openConsole({ signal: call.signal });
    stream.write({ vm });
    void pump(requests, (data) => stream.write({ data }));
    for await (const { data } of stream as AsyncIterable<ConsoleOutput>) await call.send({ data });
    return ok(undefined);
  } catch (error) {
    if (call.signal.aborted) return ok(undefined);
    if (isServiceError(error)) return fail(failureOf(error));
    throw error;
  } finally {
    connection.close();
  }
}

/** Passes on what is typed until the caller's side of the stream ends. */
async function pump(
  requests: AsyncIterator<ConsoleInput>,
  write: (data: Uint8Array) => void,
): Promise<void> {
  for (;;) {
    const next = await requests.next();
    if (next.done === true) return;
    if (next.value.data.length > 0) write(next.value.data);
  }
}

async function addressOf({ pool }: Environment, vm: VmRecord): Promise<Result<string, Failure>> {
  if (vm.host === null) return fail(halted(vm));
  const state = await readHost(pool, vm.host);
  if (!state.ok) return state;
  const record = await pool.hosts.get(vm.host);
  if (!record.ok) return record;
  const address = record.value?.record.endpoints['vm-lifecycle'];
  if (state.value.up && address !== undefined) return ok(address);
  return fail({
    reason: 'HOST_UNREACHABLE',
    message: `vm ${vm.name} was last claimed by ${state.value.name}, which is down`,
    remedy: `Bring ${state.value.name} back: flotilla host show ${state.value.name}.`,
    resource: { type: 'vm', name: vm.name },
  });
}

function halted(vm: VmRecord): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `vm ${vm.name} does not run, so it has no console`,
    remedy: `Start it: flotilla vm start ${vm.name}.`,
    resource: { type: 'vm', name: vm.name },
  };
}

const noVm: Failure = {
  reason: 'INVALID_FIELD',
  message: "the first message of a console's stream names no VM",
  remedy: 'Send one with the name or id of the VM first.',
  field: 'vm',
};
