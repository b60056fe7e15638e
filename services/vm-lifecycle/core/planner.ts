import type { Claim, PlannedStep } from './step.ts';

/** What a plan needs to know of a VM. The pool's record has this form already. */
export interface PlannedVm {
  readonly id: string;
  readonly name: string;
  readonly type: 'pv' | 'pvh';
  readonly memory: number;
  readonly vcpus: number;
  readonly kernel: string;
  readonly ramdisk: string;
  readonly commandLine: string;
  readonly disks: readonly PlannedDisk[];
  readonly nics: readonly { readonly network: string; readonly mac: string }[];
  /** Of the claim that the plan works under. */
  readonly epoch: number;
}

/** A disk of a VM. `owned`: it goes with the VM. */
export interface PlannedDisk {
  readonly vdi: string;
  readonly vdev: string;
  readonly readOnly: boolean;
  readonly owned: boolean;
}

/** A disk that is to be made for a new VM. The id is chosen before, so that making it is idempotent. */
export interface NewDisk {
  readonly vdi: string;
  readonly name: string;
  readonly sr: string;
  readonly size: number;
}

/**
 * Makes a VM, of which a draft was recorded with the operation: its files are checked before anything
 * is made. The draft does not name the new disks, since the storage service deletes no disk that a
 * VM uses; the record is complete last.
 */
export function planCreate(vm: PlannedVm, newDisks: readonly NewDisk[]): PlannedStep[] {
  return [
    bootCheck(vm),
    ...newDisks.map(
      (disk): PlannedStep => ({
        name: 'vdi.create',
        description: `make disk ${disk.name}`,
        input: { vdi: disk.vdi, name: disk.name, sr: disk.sr, size: disk.size },
      }),
    ),
    { name: 'vm.publish', description: 'make the VM ready', input: { vm: vm.id, disks: vm.disks } },
  ];
}

/**
 * Deletes a halted VM. Its disks are let go of first, since the storage service deletes no disk that
 * a VM uses; the record goes last, so that a deletion that failed half-way can be repeated.
 */
export function planDelete(vm: PlannedVm): PlannedStep[] {
  return [
    { name: 'vm.drop-disks', description: 'let go of the disks', input: { vm: vm.id } },
    ...vm.disks
      .filter((disk) => disk.owned)
      .map(
        (disk): PlannedStep => ({
          name: 'vdi.delete',
          description: `delete disk ${disk.vdev}`,
          input: { vdi: disk.vdi, name: `${vm.name} ${disk.vdev}` },
        }),
      ),
    { name: 'vm.remove', description: 'remove the VM', input: { vm: vm.id } },
  ];
}

/** Starts a VM that this host has claimed. */
export function planStart(vm: PlannedVm): PlannedStep[] {
  return [claimStep(vm), bootCheck(vm), ...bringUp(vm)];
}

/** Asks the guest to stop; once it has stopped, clears away what it used. */
export function planShutdown(vm: PlannedVm, timeoutSeconds: number): PlannedStep[] {
  return [...askToStop(vm, 'poweroff', timeoutSeconds), ...tearDown(vm, '')];
}

/** Stops a VM at once, or clears away what is left of one; `detail` says why, where that is news. */
export function planDestroy(vm: PlannedVm, detail: string): PlannedStep[] {
  return tearDown(vm, detail);
}

/** Asks the guest to stop and builds it anew, under the same claim. */
export function planReboot(vm: PlannedVm, timeoutSeconds: number): PlannedStep[] {
  return [...askToStop(vm, 'reboot', timeoutSeconds), ...planRestart(vm)];
}

/**
 * Builds a domain anew whose guest has rebooted. The claim is the first step that can be undone: if
 * the domain cannot be built again, the VM is halted and nothing of it is left.
 */
export function planRestart(vm: PlannedVm): PlannedStep[] {
  return [destroyDomain(vm), ...unplugAll(vm), claimStep(vm), ...bringUp(vm)];
}

/**
 * Has the backends take up devices of a VM that runs, some disks by their images and some interfaces
 * by their places: the domain that served them was built anew. The VM runs on whatever comes of it.
 */
export function planReconnect(
  vm: PlannedVm,
  { disks, nics }: { readonly disks: readonly string[]; readonly nics: readonly number[] },
): PlannedStep[] {
  const claim = claimOf(vm);
  return [
    ...vm.disks
      .filter(({ vdi }) => disks.includes(vdi))
      .map(
        ({ vdi, vdev, readOnly }): PlannedStep => ({
          name: 'disk.reconnect',
          description: `reconnect disk ${vdev}`,
          input: { ...claim, vdi, vdev, readOnly },
        }),
      ),
    ...vm.nics.flatMap(({ network, mac }, index): PlannedStep[] =>
      nics.includes(index)
        ? [
            {
              name: 'nic.reconnect',
              description: `reconnect interface ${index}`,
              input: { ...claim, index, network, mac },
            },
          ]
        : [],
    ),
  ];
}

function claimOf(vm: PlannedVm): Claim {
  return { vm: vm.id, epoch: vm.epoch };
}

function claimStep(vm: PlannedVm): PlannedStep {
  return { name: 'vm.claim', description: 'check the claim', input: claimOf(vm) };
}

function bootCheck({ kernel, ramdisk }: PlannedVm): PlannedStep {
  return {
    name: 'boot.check',
    description: kernel === '' ? "check the host's kernel" : `check kernel ${kernel}`,
    input: { kernel, ramdisk },
  };
}

/** Storage and networks first, since the domain is built with them; the guest runs last. */
function bringUp(vm: PlannedVm): PlannedStep[] {
  const claim = claimOf(vm);
  return [
    ...vm.disks.map(
      ({ vdi, vdev, readOnly }): PlannedStep => ({
        name: 'storage.attach',
        description: `attach disk ${vdev}`,
        input: { ...claim, vdi, vdev, readOnly },
      }),
    ),
    ...vm.nics.map(
      ({ network }, index): PlannedStep => ({
        name: 'network.prepare',
        description: `prepare the network of interface ${index}`,
        input: { network, index },
      }),
    ),
    {
      name: 'domain.create',
      description: 'build the domain',
      input: {
        ...claim,
        name: vm.name,
        type: vm.type,
        memory: vm.memory,
        vcpus: vm.vcpus,
        kernel: vm.kernel,
        ramdisk: vm.ramdisk,
        commandLine: vm.commandLine,
        disks: vm.disks.map(({ vdi, vdev, readOnly }) => ({ vdi, vdev, readOnly })),
        nics: vm.nics.map(({ network, mac }) => ({ network, mac })),
      },
    },
    ...vm.disks.map(
      ({ vdi, vdev, readOnly }): PlannedStep => ({
        name: 'disk.connect',
        description: `connect disk ${vdev}`,
        input: { ...claim, vdi, vdev, readOnly },
      }),
    ),
    ...vm.nics.flatMap(({ network, mac }, index): PlannedStep[] => [
      {
        name: 'vif.plug',
        description: `plug interface ${index}`,
        input: { ...claim, index, network, mac },
      },
      {
        name: 'nic.connect',
        description: `connect interface ${index}`,
        input: { ...claim, index },
      },
    ]),
    { name: 'domain.unpause', description: 'let the guest run', input: claim },
    { name: 'vm.running', description: 'report the VM running', input: claim },
  ];
}

function askToStop(
  vm: PlannedVm,
  reason: 'poweroff' | 'reboot',
  timeoutSeconds: number,
): PlannedStep[] {
  const claim = claimOf(vm);
  return [
    {
      name: 'domain.request-shutdown',
      description: `ask the guest to ${reason === 'reboot' ? 'reboot' : 'shut down'}`,
      input: { ...claim, reason },
    },
    {
      name: 'domain.await-shutdown',
      description: `wait for the guest, at most ${timeoutSeconds} s`,
      input: { ...claim, timeoutSeconds },
    },
  ];
}

function tearDown(vm: PlannedVm, detail: string): PlannedStep[] {
  const claim = claimOf(vm);
  return [
    destroyDomain(vm),
    ...unplugAll(vm),
    ...vm.disks.map(
      ({ vdi, vdev }): PlannedStep => ({
        name: 'storage.detach',
        description: `detach disk ${vdev}`,
        input: { ...claim, vdi, vdev },
      }),
    ),
    { name: 'vm.release', description: 'report the VM halted', input: { ...claim, detail } },
  ];
}

function destroyDomain(vm: PlannedVm): PlannedStep {
  return { name: 'domain.destroy', description: 'destroy the domain', input: claimOf(vm) };
}

function unplugAll(vm: PlannedVm): PlannedStep[] {
  return vm.nics.map(
    (_, index): PlannedStep => ({
      name: 'vif.unplug',
      description: `unplug interface ${index}`,
      input: { ...claimOf(vm), index },
    }),
  );
}
