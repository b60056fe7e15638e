/** The verbs of operations on VMs. The last three are recorded by the service itself. */
export const vmVerbs = [
  'vm.create',
  'vm.delete',
  'vm.start',
  'vm.shutdown',
  'vm.reboot',
  'vm.destroy',
  'vm.clean-up',
  'vm.restart',
  'vm.reconnect',
] as const;
export type VmVerb = (typeof vmVerbs)[number];
