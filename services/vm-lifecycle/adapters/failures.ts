import type { HypervisorError } from '../../../hypervisor/port.ts';
import type { Failure, FailureReason, FailureResource } from '../../../pool/failure.ts';

/** What the pool calls each way in which the hypervisor refuses. */
const reasons: Readonly<Record<HypervisorError['code'], FailureReason>> = {
  'domain-not-found': 'HYPERVISOR',
  'domain-exists': 'HYPERVISOR',
  'out-of-memory': 'HYPERVISOR',
  'boot-file-missing': 'BOOT_FILE',
  'boot-file-invalid': 'BOOT_FILE',
  'device-unavailable': 'HYPERVISOR',
  unsupported: 'HYPERVISOR',
  'hypervisor-unavailable': 'SERVICE_UNAVAILABLE',
  'hypervisor-failed': 'HYPERVISOR',
};

const remedies: Readonly<Record<HypervisorError['code'], string>> = {
  'domain-not-found': 'The domain ended meanwhile; see flotilla vm list, and try again.',
  'domain-exists': 'Another tool has built a domain with the id of this VM; destroy that first.',
  'out-of-memory':
    'The host has less memory free than the pool knows of; see which domains Flotilla did not build.',
  'boot-file-missing': 'Put the file on the host, or name another one.',
  'boot-file-invalid': 'Name a kernel that Xen can boot, and the RAM disk that belongs to it.',
  'device-unavailable': "See the log of the host's storage and network services.",
  unsupported: "Choose another type of VM; see the host's hypervisor with flotilla host show.",
  'hypervisor-unavailable': 'See whether the hypervisor of the host runs.',
  'hypervisor-failed': "See the host's vm-lifecycle log, and xl dmesg on the host.",
};

/** A refusal of the hypervisor of `host`, as the pool's services and clients know failures. */
export function hypervisorFailure(
  host: string,
  error: HypervisorError,
  resource?: FailureResource,
): Failure {
  return {
    reason: reasons[error.code],
    message: `the hypervisor of ${host} refused: ${error.detail}`,
    remedy: remedies[error.code],
    resource,
  };
}

/** The claim that a step works under is not the newest any more, or never was this host's. */
export function staleClaim(host: string, vm: string, epoch: number): Failure {
  return {
    reason: 'STALE_EPOCH',
    message: `claim ${epoch} of vm ${vm} is not the newest of ${host} any more`,
    remedy: 'See which host has claimed the VM: flotilla vm show.',
    resource: { type: 'vm', name: vm },
  };
}

/** The operation was cancelled, or the service closes, while a step was waiting. */
export function stoppedWaiting(what: string): Failure {
  return { reason: 'CANCELLED', message: `${what} was given up`, remedy: '' };
}
