import { credentials } from '@grpc/grpc-js';
import pino from 'pino';
import { present } from '../../base/assert.ts';
import { ok, type Result } from '../../base/result.ts';
import { bytes, milliseconds } from '../../base/units.ts';
import type { Hypervisor } from '../../hypervisor/port.ts';
import {
  createSimulated,
  noFileCheck,
  type SimulatedHypervisor,
} from '../../hypervisor/simulated/index.ts';
import { systemClock } from '../../pool/clock.ts';
import { eventWriter } from '../../pool/events.ts';
import type { Failure } from '../../pool/failure.ts';
import { openPool, type Pool } from '../../pool/pool.ts';
import type { HostId, NetworkId, SrId, Timestamp } from '../../pool/records/identifiers.ts';
import type { OperationRecord } from '../../pool/records/operation.ts';
import type { RpcCall } from '../../pool/rpc/handler.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { remove, together, writing } from '../../pool/transaction.ts';
import type { CreateVmRequest, Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import { type ConsoleHub, consoleHub } from '../../services/vm-lifecycle/adapters/console/hub.ts';
import type { DomainJournal } from '../../services/vm-lifecycle/adapters/domain-journal.ts';
import type { Environment } from '../../services/vm-lifecycle/adapters/environment.ts';
import { type Lifecycle, startLifecycle } from '../../services/vm-lifecycle/adapters/lifecycle.ts';
import { Turns } from '../../services/vm-lifecycle/adapters/turns.ts';
import { Life } from './mortal.ts';
import { pretendImages } from './pretend-images.ts';
import { type PretendNetwork, pretendNetwork } from './pretend-network.ts';
import { type PretendStorage, pretendStorage } from './pretend-storage.ts';

/** One host of a pretend pool. What is here outlives its vm-lifecycle service. */
export interface World {
  readonly pool: Pool;
  readonly hosts: readonly WorldHost[];
  close(): Promise<void>;
}

/** A host: what outlives its service, and the service that runs now. */
export interface WorldHost {
  readonly id: HostId;
  readonly name: string;
  readonly hypervisor: SimulatedHypervisor;
  readonly storage: PretendStorage;
  readonly network: PretendNetwork;
  /** Starts the service, which lives as long as `life` lets it. */
  start(life?: Life): Service;
  /** Writes or removes the host's lease. */
  setUp(isUp: boolean): Promise<void>;
}

/** A vm-lifecycle service that runs in this process. */
export interface Service {
  readonly lifecycle: Lifecycle;
  readonly consoles: ConsoleHub;
}

const gibibyte = 2 ** 30;

/** Makes a pool in memory, with an SR on each host and one network; no service runs yet. */
export async function makeWorld(hostCount: number, { memory = 4 * gibibyte } = {}): Promise<World> {
  const database = simulatedDatabase();
  const pool = openPool(database);
  const services: Service[] = [];
  const network = {
    id: 'aaaaaaaa-0000-4000-8000-000000000000' as NetworkId,
    ...{ name: 'default', bridge: 'br0', mtu: 1500, createdAt: 1 as Timestamp },
  };
  await database.transact(pool.networks.creating(network));
  const hosts: WorldHost[] = [];
  for (let index = 0; index < hostCount; index += 1)
    hosts.push(await makeHost(pool, index, memory, services));
  return {
    pool,
    hosts,
    close: async () => {
      await Promise.all(services.map((service) => service.lifecycle.close()));
      for (const host of hosts) await host.hypervisor.close();
      database.close();
    },
  };
}

async function makeHost(
  pool: Pool,
  index: number,
  memory: number,
  services: Service[],
): Promise<WorldHost> {
  const id = `00000000-0000-4000-8000-00000000000${index + 1}` as HostId;
  const name = `host-${index + 1}`;
  const instant = milliseconds(1);
  const hypervisor = createSimulated({
    memory: bytes(memory),
    files: noFileCheck,
    latency: { create: instant, boot: instant, shutdown: instant, destroy: instant },
  });
  const storage = pretendStorage(pool, id);
  const network = pretendNetwork();
  const built = new Set<string>();
  const journal: DomainJournal = {
    add: async (uuid) => {
      built.add(uuid);
      return ok(undefined);
    },
    remove: async (uuid) => {
      built.delete(uuid);
      return ok(undefined);
    },
    has: (uuid) => built.has(uuid),
  };
  const setUp = async (isUp: boolean) => {
    const lease = pool.hostLeases.put(id, { since: 1 as Timestamp });
    await pool.database.transact(writing(isUp ? lease : remove(pool.hostLeases.key(id))));
  };
  await pool.database.transact(
    together(
      pool.hosts.creating({
        ...{ id, name, hypervisor: 'simulated', hypervisorVersion: '1', cpus: 4 },
        ...{ memoryTotal: bytes(memory), endpoints: {}, startedAt: 1 as Timestamp },
      }),
      pool.srs.creating({
        id: id.replace(/^0/, 'b') as SrId,
        ...{ name: `local-${index + 1}`, type: 'file', host: id },
        ...{ physicalSize: bytes(1000 * gibibyte), physicalFree: bytes(1000 * gibibyte) },
      }),
    ),
  );
  await setUp(true);
  const start = (life = new Life()): Service => {
    const mortal = mortalPorts(pool, { hypervisor, storage, network, journal }, life);
    const log = pino({ level: process.env.FLOTILLA_TEST_LOG ?? 'silent' });
    const consoles = consoleHub(mortal.hypervisor, log);
    const environment: Environment = {
      ...mortal,
      events: eventWriter(mortal.pool, life.clock),
      starts: new Turns(),
      ...{ host: { id, name }, hypervisorKind: 'simulated', consoles, defaultBoot: null },
      images: pretendImages(),
      ...{ clock: life.clock, log },
    };
    const lifecycle = startLifecycle(environment, credentials.createInsecure());
    const service = { lifecycle, consoles };
    if (life.isMortal) return service;
    services.push(service);
    return service;
  };
  return { id, name, hypervisor, storage, network, start, setUp };
}

interface Ports {
  readonly hypervisor: Hypervisor;
  readonly storage: PretendStorage;
  readonly network: PretendNetwork;
  readonly journal: DomainJournal;
}

/** The ports of a service, every call of which may be its last. */
function mortalPorts(pool: Pool, ports: Ports, life: Life): Ports & { pool: Pool } {
  const database = life.through(pool.database, ['get', 'list', 'transact']);
  const mortal = new AbortController();
  void life.died.then(() => mortal.abort());
  return {
    pool: openPool({
      ...database,
      ...{ get: database.get, list: database.list, transact: database.transact },
      watch: (request) =>
        pool.database.watch({
          ...request,
          signal: AbortSignal.any([request.signal, mortal.signal]),
        }),
    }),
    hypervisor: life.through(ports.hypervisor, [
      'createDomain',
      'connectDisk',
      'nicInterface',
      'connectNic',
      'unpause',
      'requestShutdown',
      'destroyDomain',
    ]),
    storage: life.through(ports.storage, ['attach', 'detach', 'create', 'remove']),
    network: life.through(ports.network, ['prepare', 'plug', 'unplug']),
    journal: ports.journal,
  };
}

/** A call as a handler sees it, from a caller that waits for ever. */
export const someCall: RpcCall = {
  method: 'test',
  identity: null,
  signal: new AbortController().signal,
};

/** The value of a result that must be one. */
export function granted<Value>(result: Result<Value, Failure> | undefined): Value {
  if (result?.ok === true) return result.value;
  throw new Error(result === undefined ? 'there is no handler' : result.error.message);
}

/** The failure of a result that must be one. */
export function refused(result: Result<unknown, Failure> | undefined): Failure {
  if (result?.ok === false) return result.error;
  throw new Error('it succeeded');
}

/** A request for a VM of 256 MiB with a disk and an interface. */
export function vmRequest(name: string, change: Partial<Vm> = {}): CreateVmRequest {
  const vm: Vm = {
    ...{ id: '', name, type: 'DOMAIN_TYPE_UNSPECIFIED', memory: 256 * 2 ** 20, vcpus: 1 },
    boot: null,
    disks: [{ vdi: '', size: gibibyte, sr: '', vdev: '', readOnly: false, owned: false }],
    nics: [{ network: 'default', mac: '' }],
    ...{ powerState: 'POWER_STATE_UNSPECIFIED', host: '', domid: 0, epoch: 0, operation: '' },
    ...{ createTime: null, startTime: null, revision: 0, powerStateDetail: '' },
    ...change,
  };
  return { vm, validateOnly: false, host: '', requestId: '' };
}

/** Waits until an operation has ended, and returns its record. */
export async function endOf(pool: Pool, id: string | null | undefined): Promise<OperationRecord> {
  for (;;) {
    const stored = granted(
      await pool.operationsOf('vm-lifecycle').get(present(id, 'an operation has an id')),
    );
    if (stored !== null && stored.record.endedAt !== null) return stored.record;
    await systemClock.sleep(milliseconds(2));
  }
}

/** Waits until something holds; the test's own time-out bounds it. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(milliseconds(5));
}
