/** One VM on one claim: what every step that touches the world is fenced by. */
export interface Claim {
  readonly vm: string;
  readonly epoch: number;
}

/** The input of each step, by the step's name. All of it is data that survives a crash. */
export interface StepInputs {
  /** The kernel and the RAM disk that the VM would boot can be read on this host. */
  readonly 'boot.check': { readonly kernel: string; readonly ramdisk: string };
  /** A disk image exists and is ready. Undo deletes it. */
  readonly 'vdi.create': {
    readonly vdi: string;
    readonly name: string;
    readonly sr: string;
    readonly size: number;
  };
  /** The VM has its disks and can be started. */
  readonly 'vm.publish': {
    readonly vm: string;
    readonly disks: readonly {
      readonly vdi: string;
      readonly vdev: string;
      readonly readOnly: boolean;
      readonly owned: boolean;
    }[];
  };
  /** The VM is being deleted, and the disks that were made with it are no longer its own. */
  readonly 'vm.drop-disks': { readonly vm: string };
  /** A disk image is gone. */
  readonly 'vdi.delete': { readonly vdi: string; readonly name: string };
  /** The record of the VM is gone. */
  readonly 'vm.remove': { readonly vm: string };
  /** The claim is this host's and the newest. Undo lets go of it: the VM is halted. */
  readonly 'vm.claim': Claim;
  /** A disk can be used on this host, under this claim. Undo detaches it. */
  readonly 'storage.attach': Claim & {
    readonly vdi: string;
    readonly vdev: string;
    readonly readOnly: boolean;
  };
  /** A network's bridge is up on this host. */
  readonly 'network.prepare': { readonly network: string; readonly index: number };
  /** The domain exists, paused, built from nothing by this operation. Undo destroys it. */
  readonly 'domain.create': Claim & {
    readonly name: string;
    readonly type: 'pv' | 'pvh';
    readonly memory: number;
    readonly vcpus: number;
    readonly kernel: string;
    readonly ramdisk: string;
    readonly commandLine: string;
    readonly disks: readonly {
      readonly vdi: string;
      readonly vdev: string;
      readonly readOnly: boolean;
    }[];
    readonly nics: readonly { readonly network: string; readonly mac: string }[];
  };
  /** A disk's backend serves the attached device. */
  readonly 'disk.connect': Claim & {
    readonly vdi: string;
    readonly vdev: string;
    readonly readOnly: boolean;
  };
  /** The backend's interface of a NIC is on its network. Undo unplugs it. */
  readonly 'vif.plug': Claim & {
    readonly index: number;
    readonly network: string;
    readonly mac: string;
  };
  /** A NIC's backend knows that its interface is on the network. */
  readonly 'nic.connect': Claim & { readonly index: number };
  /** The guest runs. */
  readonly 'domain.unpause': Claim;
  /** The status says that the VM runs. */
  readonly 'vm.running': Claim;
  /** The guest was asked to stop. Nobody can take that back: what it does then is seen to later. */
  readonly 'domain.request-shutdown': Claim & { readonly reason: 'poweroff' | 'reboot' };
  /** The guest has stopped by itself within so many seconds. */
  readonly 'domain.await-shutdown': Claim & { readonly timeoutSeconds: number };
  /** A disk of the running guest is served again, by a backend that was built anew. */
  readonly 'disk.reconnect': Claim & {
    readonly vdi: string;
    readonly vdev: string;
    readonly readOnly: boolean;
  };
  /** A NIC of the running guest is on its network again, by a backend that was built anew. */
  readonly 'nic.reconnect': Claim & {
    readonly index: number;
    readonly network: string;
    readonly mac: string;
  };
  /** No domain of the VM is left. */
  readonly 'domain.destroy': Claim;
  /** An interface is off its network. */
  readonly 'vif.unplug': Claim & { readonly index: number };
  /** A disk is no longer used under this claim. */
  readonly 'storage.detach': Claim & { readonly vdi: string; readonly vdev: string };
  /** The VM is halted, its memory reservation is gone, and its status says why. */
  readonly 'vm.release': Claim & { readonly detail: string };
}

/** A step's name: what a driver answers to. */
export type StepName = keyof StepInputs;

/** One step of a plan: what to do, in words and as data. */
export type PlannedStep = {
  readonly [Name in StepName]: {
    readonly name: Name;
    /** For people: `attach disk xvda`. */
    readonly description: string;
    readonly input: StepInputs[Name];
  };
}[StepName];

/** What is true of every step of a name. */
export interface StepKind {
  /** What undoing the step does, in words; null where there is nothing to undo. */
  readonly undo: string | null;
  /**
   * Once it was begun a cancel comes too late; once it is done, no step up to it is undone.
   */
  readonly irreversible: boolean;
}

/** Every kind of step. */
export const stepKinds: { readonly [Name in StepName]: StepKind } = {
  'boot.check': { undo: null, irreversible: false },
  'vdi.create': { undo: 'delete the disk', irreversible: false },
  'vm.publish': { undo: null, irreversible: true },
  'vm.drop-disks': { undo: null, irreversible: true },
  'vdi.delete': { undo: null, irreversible: true },
  'vm.remove': { undo: null, irreversible: true },
  'vm.claim': { undo: 'let go of the claim', irreversible: false },
  'storage.attach': { undo: 'detach the disk', irreversible: false },
  'network.prepare': { undo: null, irreversible: false },
  'domain.create': { undo: 'destroy the domain', irreversible: false },
  'disk.connect': { undo: null, irreversible: false },
  'vif.plug': { undo: 'unplug the interface', irreversible: false },
  'nic.connect': { undo: null, irreversible: false },
  'domain.unpause': { undo: null, irreversible: false },
  'vm.running': { undo: null, irreversible: true },
  'domain.request-shutdown': { undo: null, irreversible: false },
  'domain.await-shutdown': { undo: null, irreversible: false },
  // To undo these would take a device from a guest that runs.
  'disk.reconnect': { undo: null, irreversible: true },
  'nic.reconnect': { undo: null, irreversible: true },
  'domain.destroy': { undo: null, irreversible: true },
  'vif.unplug': { undo: null, irreversible: true },
  'storage.detach': { undo: null, irreversible: true },
  'vm.release': { undo: null, irreversible: true },
};
