/** What the record of a VM says that bears on its power state. Records have this form already. */
export interface ClaimedVm {
  readonly desired: 'halted' | 'running';
  /** The host of the newest claim, or null before the first. */
  readonly host: string | null;
  readonly epoch: number;
}

/** What the host of a claim last wrote about the VM. */
export interface ReportedStatus {
  readonly epoch: number;
  readonly powerState: 'halted' | 'running' | 'paused';
  readonly domid: number;
  readonly startedAt: number | null;
  readonly detail: string;
}

/** The host of the newest claim, as the pool knows it now. */
export interface ClaimHost {
  readonly name: string;
  /** It holds its lease. */
  readonly up: boolean;
}

/** The power state as the pool can vouch for it. */
export interface PowerReport {
  readonly state: 'halted' | 'running' | 'paused' | 'unknown';
  /** The host that runs it or is to run it; empty while it is halted. */
  readonly host: string;
  readonly domid: number;
  readonly startedAt: number | null;
  readonly detail: string;
}

/**
 * Merges what is wanted of a VM, what its host last said, and whether that host is up. A status of
 * another epoch than the newest claim's counts for nothing. Where the host is down and the VM may
 * run there, the answer is `unknown`, never a guess.
 */
export function reportPower(
  vm: ClaimedVm,
  status: ReportedStatus | null,
  host: ClaimHost | null,
): PowerReport {
  if (vm.host === null) return { state: 'halted', host: '', domid: 0, startedAt: null, detail: '' };
  const current = status !== null && status.epoch === vm.epoch ? status : null;
  const state = current?.powerState ?? 'halted';
  const name = host?.name ?? vm.host;
  if (state === 'halted' && vm.desired === 'halted')
    return { state, host: '', domid: 0, startedAt: null, detail: current?.detail ?? '' };
  if (host?.up !== true)
    return {
      state: 'unknown',
      host: name,
      domid: 0,
      startedAt: null,
      detail: `${name} is down: nobody can say whether the VM runs`,
    };
  if (state === 'halted')
    return { state, host: name, domid: 0, startedAt: null, detail: current?.detail ?? '' };
  return {
    state,
    host: name,
    domid: current?.domid ?? 0,
    startedAt: current?.startedAt ?? null,
    detail: current?.detail ?? '',
  };
}
