import type { Failure } from '../../pool/failure.ts';
import type { Input } from '../../proto/codec.ts';
import type { ChangeType, Host, Operation } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import type { Timestamp } from '../../proto/gen/google.protobuf.ts';

/** The moment at which everything in a simulated pool happens: 2026-01-02 12:00:00 UTC. */
export const simulatedNow = Date.UTC(2026, 0, 2, 12);

/** A moment some seconds before that. */
export function secondsAgo(seconds: number): Timestamp {
  return { seconds: simulatedNow / 1000 - seconds, nanos: 0 };
}

/** The id of the `number`th thing of a simulated pool. */
export function simulatedId(number: number): string {
  return `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

/** What a simulated pool holds of each kind. */
export interface Kinds {
  readonly vm: Vm;
  readonly host: Host;
  readonly operation: Operation;
}

/** One change, at the revision that it made. */
export interface Change<Kind extends keyof Kinds = keyof Kinds> {
  readonly kind: Kind;
  readonly type: ChangeType;
  readonly resource: Kinds[Kind];
  readonly revision: number;
}

/** The things of a simulated pool, with every change that was made to them. */
export interface SimulatedState {
  all<Kind extends keyof Kinds>(kind: Kind): readonly Kinds[Kind][];
  /** By name or id. */
  find<Kind extends keyof Kinds>(kind: Kind, named: string): Kinds[Kind] | undefined;
  put<Kind extends keyof Kinds>(kind: Kind, resource: Kinds[Kind]): void;
  remove(kind: keyof Kinds, id: string): void;
  readonly revision: number;
  /** What every call is answered with, where it is set: the database has no leader. */
  failure: Failure | undefined;
  /** Changes after `revision`, and those that come until the returned function is called. */
  follow(revision: number, onChange: (change: Change) => void): () => void;
  nextId(): string;
}

/** Nothing yet. */
export function simulatedState(): SimulatedState {
  const things: { readonly [Kind in keyof Kinds]: Map<string, Kinds[Kind]> } = {
    vm: new Map(),
    host: new Map(),
    operation: new Map(),
  };
  const changes: Change[] = [];
  const followers = new Set<(change: Change) => void>();
  let ids = 0;
  const record = (change: Change): void => {
    changes.push(change);
    for (const follower of followers) follower(change);
  };
  const tableOf = <Kind extends keyof Kinds>(kind: Kind): Map<string, Kinds[Kind]> => things[kind];
  const nameOf = (resource: Vm | Host | Operation): string =>
    'name' in resource ? resource.name : '';
  return {
    failure: undefined,
    all: (kind) => [...tableOf(kind).values()],
    find: (kind, named) =>
      tableOf(kind).get(named) ??
      [...tableOf(kind).values()].find((each) => named !== '' && nameOf(each) === named),
    put: (kind, resource) => {
      const known = tableOf(kind).has(resource.id);
      const revision = changes.length + 1;
      const stored = { ...resource, revision };
      tableOf(kind).set(resource.id, stored);
      const type = known ? 'CHANGE_TYPE_UPDATED' : 'CHANGE_TYPE_CREATED';
      record({ kind, type, resource: stored, revision });
    },
    remove: (kind, id) => {
      const resource = tableOf(kind).get(id);
      if (resource === undefined) return;
      tableOf(kind).delete(id);
      record({ kind, type: 'CHANGE_TYPE_DELETED', resource, revision: changes.length + 1 });
    },
    get revision() {
      return changes.length;
    },
    follow: (revision, onChange) => {
      for (const change of changes) if (change.revision > revision) onChange(change);
      followers.add(onChange);
      return () => followers.delete(onChange);
    },
    nextId: () => {
      ids += 1;
      return simulatedId(ids);
    },
  };
}

/** A host that is up, with 8 GiB and nothing on it. */
export function simulatedHost(state: SimulatedState, name: string): Host {
  return {
    id: state.nextId(),
    name,
    state: 'HOST_STATE_UP',
    hypervisor: 'HYPERVISOR_SIMULATED',
    hypervisorVersion: '1',
    cpus: 4,
    memoryTotal: 8 * 2 ** 30,
    memoryReserved: 0,
    vmsRunning: 0,
    endpoints: { 'vm-lifecycle': '127.0.0.1:7001' },
    startTime: secondsAgo(3600),
    revision: 0,
  };
}

/** A halted VM as a request describes it. */
export function simulatedVm(state: SimulatedState, asked: Input<Vm>): Vm {
  return {
    id: state.nextId(),
    name: asked.name ?? '',
    type: asked.type ?? 'DOMAIN_TYPE_PVH',
    memory: asked.memory ?? 256 * 2 ** 20,
    vcpus: asked.vcpus ?? 1,
    boot: { kernel: '', ramdisk: '', commandLine: '', ...withoutUnset(asked.boot) },
    disks: (asked.disks ?? []).map((disk, index) => ({
      vdi: disk.vdi || state.nextId(),
      size: disk.size ?? 0,
      sr: disk.sr ?? '',
      vdev: `xvd${String.fromCharCode(97 + index)}`,
      readOnly: disk.readOnly ?? false,
      owned: true,
    })),
    nics: (asked.nics ?? []).map((nic, index) => ({
      network: nic.network ?? '',
      mac: nic.mac || `00:16:3e:00:00:0${index + 1}`,
    })),
    powerState: 'POWER_STATE_HALTED',
    host: '',
    domid: 0,
    epoch: 0,
    operation: '',
    createTime: secondsAgo(600),
    startTime: null,
    revision: 0,
    powerStateDetail: '',
  };
}

function withoutUnset(boot: Input<Vm['boot']> | null | undefined): {
  kernel?: string;
  ramdisk?: string;
  commandLine?: string;
} {
  return Object.fromEntries(
    Object.entries(boot ?? {}).filter(([, value]) => typeof value === 'string'),
  );
}
