import { existsSync, readFileSync } from 'node:fs';

/** Whether this machine is the control domain of a Xen host. */
export function isXenControlDomain(): boolean {
  const capabilities = '/proc/xen/capabilities';
  return existsSync(capabilities) && readFileSync(capabilities, 'utf8').includes('control_d');
}

/** What the operator is told of the hypervisor that was chosen. */
export function hypervisorNotice(kind: 'xen' | 'simulated'): string {
  return kind === 'xen'
    ? 'hypervisor: Xen, through libxl'
    : 'hypervisor: simulated (this machine is not a Xen control domain); `npm run xen` boots hosts with real Xen in QEMU';
}
