import { closeSync, openSync, readFileSync } from 'node:fs';
import { ok, type Result } from '../../base/result.ts';
import type { HypervisorError } from '../port.ts';
import type { SharedPage } from '../xenstore-port.ts';
import { deviceFailure, type Kernel, mapPage } from './kernel.ts';

/** The ring of the control domain's kernel, and the event channel that belongs to it. */
export interface ControlRing {
  /** The port of the control domain that waits to be bound. */
  port(): Result<number, HypervisorError>;
  map(): Result<SharedPage, HypervisorError>;
}

/** What the control domain has of its own: Linux's xenfs. */
const ownPage = '/proc/xen/xsd_kva';
const ownPort = '/proc/xen/xsd_port';

/** The kernel's words; a xenstore domain is told its port there (tools/helpers/init-xenstore-domain.c). */
const kernelWords = '/proc/cmdline';

/** The ring as a process of the control domain itself reaches it. */
export function ownRing(kernel: Kernel): ControlRing {
  return {
    port: () => ok(Number(readFileSync(ownPort, 'utf8'))),
    map: () => {
      const fd = openSync(ownPage, 'r+');
      const page = mapPage(kernel, fd, 0, () => undefined);
      // A mapping outlives the descriptor that it was made with.
      closeSync(fd);
      return page.ok ? page : deviceFailure(`${ownPage} cannot be mapped: ${page.error}`);
    },
  };
}

/**
 * The ring as the xenstore domain is given it: as a grant, which `map` maps, and a port that the kernel's
 * words name.
 */
export function grantedRing(map: ControlRing['map']): ControlRing {
  return {
    map,
    port: () => {
      const port = eventPortOf(readFileSync(kernelWords, 'utf8'));
      return port === null
        ? deviceFailure(
            `${kernelWords} has no "--event PORT": init-xenstore-domain did not start this`,
          )
        : ok(port);
    },
  };
}

/** The number that follows `--event` in the kernel's words; null where there is none. */
export function eventPortOf(words: string): number | null {
  const [, port] = /(?:^|\s)--event[\s=](\d{1,9})(?:\s|$)/.exec(words) ?? [];
  return port === undefined ? null : Number(port);
}
