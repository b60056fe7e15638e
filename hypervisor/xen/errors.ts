import type { HypervisorError, HypervisorErrorCode } from '../port.ts';

/** A call of libxl that failed: its return code, and what it logged meanwhile. */
export interface LibxlFailure {
  /** The function, by its own name. */
  readonly call: string;
  /** A negative `ERROR_*` of libxl.h. */
  readonly code: number;
  readonly log: string;
}

/** `libxl_error` of tools/libs/light/libxl_types.idl, as far as these calls return them. */
const names: ReadonlyMap<number, string> = new Map([
  [-3, 'ERROR_FAIL'],
  [-4, 'ERROR_NI'],
  [-5, 'ERROR_NOMEM'],
  [-6, 'ERROR_INVAL'],
  [-7, 'ERROR_BADFAIL'],
  [-9, 'ERROR_TIMEDOUT'],
  [-11, 'ERROR_NOT_READY'],
  [-15, 'ERROR_LOCK_FAIL'],
  [-21, 'ERROR_DOMAIN_NOTFOUND'],
  [-23, 'ERROR_NOTFOUND'],
  [-24, 'ERROR_DOMAIN_DESTROYED'],
]);

/** What libxl and libxenguest log when the cause is one that the caller can act upon. */
const causes: readonly { readonly pattern: RegExp; readonly code: HypervisorErrorCode }[] = [
  {
    pattern:
      /no loader found|kernel image|xc_dom_parse_image|incompatible kernel|ELF note|xc_dom_decompress|unsupported kernel/i,
    code: 'boot-file-invalid',
  },
  {
    pattern:
      /cannot allocate memory|out of memory|failed to claim|xc_domain_claim_pages|xc_dom_boot_mem_init/i,
    code: 'out-of-memory',
  },
  {
    pattern: /backend.*(?:not ready|did not)|unable to add .* devices|unable to initialize device/i,
    code: 'device-unavailable',
  },
];

/** The port's error for a failure of libxl; `intent` says what was attempted. */
export function libxlError(intent: string, { call, code, log }: LibxlFailure): HypervisorError {
  const said = log === '' ? 'it logged nothing' : log;
  return {
    code: codeOf(code, log),
    detail: `cannot ${intent}: ${call} returned ${names.get(code) ?? code}: ${said}`,
  };
}

function codeOf(code: number, log: string): HypervisorErrorCode {
  if (code === -21 || code === -24) return 'domain-not-found';
  if (code === -5) return 'out-of-memory';
  return causes.find(({ pattern }) => pattern.test(log))?.code ?? 'hypervisor-failed';
}
