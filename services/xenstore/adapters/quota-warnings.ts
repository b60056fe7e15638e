import type { DaemonOptions } from './daemon/options.ts';

/** What is written to: pino's logger is one. */
interface WarningLog {
  warn(fields: object, message: string): void;
}

/**
 * Logs which domain exceeds which quota, by the names that `xenstore-control quota` has for them. How
 * often is the daemon's to decide: `quotaSilence`.
 */
export function quotaWarnings(log: WarningLog): NonNullable<DaemonOptions['onQuota']> {
  return (domain, quota) =>
    log.warn(
      { domain, quota },
      quota === 'soft-memory'
        ? 'a domain is close to its quota of memory'
        : 'a domain exceeds its quota',
    );
}
