import type { Entry } from '../../../../pool/database.ts';
import type { HostId, Timestamp } from '../../../../pool/records/identifiers.ts';
import type { VmRecord, VmStatus } from '../../../../pool/records/vm.ts';
import { timestampMessage } from '../../../../pool/rpc/timestamp.ts';
import type { Input } from '../../../../proto/codec.ts';
import type { DomainType, PowerState, Vm } from '../../../../proto/gen/flotilla.vm.v1.ts';
import { type ClaimHost, type PowerReport, reportPower } from '../../core/power.ts';

/** A record as it was read, with the revision that wrote it. */
type Read<Value> = { readonly record: Value } & Pick<Entry, 'modRevision'>;

/** All that the API's Vm is made of. */
export interface VmParts {
  readonly vm: Read<VmRecord>;
  readonly status: Read<VmStatus> | null;
  /** The host of the claim; null where there is no claim. */
  readonly host: ClaimHost | null;
}

const types: Readonly<Record<VmRecord['type'], DomainType>> = {
  pv: 'DOMAIN_TYPE_PV',
  pvh: 'DOMAIN_TYPE_PVH',
};

const powerStates: Readonly<Record<PowerReport['state'], PowerState>> = {
  halted: 'POWER_STATE_HALTED',
  running: 'POWER_STATE_RUNNING',
  paused: 'POWER_STATE_PAUSED',
  unknown: 'POWER_STATE_UNKNOWN',
};

/** A VM as the API tells of it: what is wanted, and what the pool can vouch for. */
export function vmMessage({ vm, status, host }: VmParts): Input<Vm> {
  const { record } = vm;
  const power = reportPower(record, status?.record ?? null, host);
  return {
    id: record.id,
    name: record.name,
    type: types[record.type],
    memory: record.memory,
    vcpus: record.vcpus,
    boot: { kernel: record.kernel, ramdisk: record.ramdisk, commandLine: record.commandLine },
    disks: record.disks.map(({ vdi, vdev, readOnly, owned }) => ({ vdi, vdev, readOnly, owned })),
    nics: record.nics.map(({ network, mac }) => ({ network, mac })),
    powerState: powerStates[power.state],
    host: power.host,
    domid: power.domid,
    epoch: record.epoch,
    operation: record.operation ?? '',
    createTime: timestampMessage(record.createdAt),
    startTime: power.startedAt === null ? null : timestampMessage(power.startedAt as Timestamp),
    revision: Math.max(vm.modRevision, status?.modRevision ?? 0),
    powerStateDetail: power.detail,
  };
}

/** What a request's filter asks for. */
export interface VmWish {
  readonly name: string;
  readonly powerState: PowerState;
  readonly host: string;
}

/** Whether a VM is among those that are asked for; `hostId` is of its claim. */
export function matches(vm: Input<Vm>, hostId: HostId | null, wish: VmWish | null): boolean {
  if (wish === null) return true;
  if (!(vm.name ?? '').includes(wish.name)) return false;
  if (wish.powerState !== 'POWER_STATE_UNSPECIFIED' && vm.powerState !== wish.powerState)
    return false;
  if (wish.host === '') return true;
  return vm.host !== '' && (vm.host === wish.host || hostId === wish.host);
}
