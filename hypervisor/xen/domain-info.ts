import koffi, { type KoffiFunc } from 'koffi';
import type { DomainId } from '../port.ts';
import type { DomainPresence } from '../xenstore-port.ts';
import type { Pointer } from './libraries.ts';

/**
 * The first fields of `xc_dominfo_t`, tools/include/xenctrl.h of Xen 4.17: the domid, of 32 bits, at 0; a word
 * of flags at 8.
 */
const flagsOffset = 8;
const dying = 1 << 0;
const crashed = 1 << 1;
const shutdown = 1 << 2;
const xenstoreDomain = 1 << 8;

/** More than such a struct has in any version. */
const infoSize = 1024;

/**
 * What the hypervisor knows of domains, by libxenctrl. It is asked by a domctl and not, as
 * `xc_domain_getinfolist` does, by a sysctl: that one Xen 4.17 answers to the control domain alone, and not to
 * a xenstore domain.
 */
export class DomainInfo {
  readonly #handle: Pointer;
  readonly #close: KoffiFunc<(handle: Pointer) => number>;
  readonly #ask: KoffiFunc<
    (handle: Pointer, first: number, most: number, info: Uint8Array) => number
  >;
  readonly #info = Buffer.alloc(infoSize);

  /** Opens the hypervisor; throws where there is none. */
  constructor() {
    const library = koffi.load('libxenctrl.so.4.17');
    const open: KoffiFunc<(logger: null, domainLogger: null, flags: number) => Pointer> =
      library.func('void *xc_interface_open(void *logger, void *domainLogger, uint flags)');
    this.#close = library.func('int xc_interface_close(void *handle)');
    this.#ask = library.func(
      'int xc_domain_getinfo(void *handle, uint32_t first, uint most, uint8_t *info)',
    );
    this.#handle = open(null, null, 0);
    if (this.#handle === null) throw new Error('the hypervisor cannot be asked about domains');
  }

  /** Asks about one domain; where that fails it counts as running. */
  presence(domain: DomainId): DomainPresence {
    const first = this.#firstFrom(domain);
    if (first === 'unknown') return 'running';
    if (first === null || first.domain !== domain || (first.flags & dying) !== 0) return 'gone';
    return (first.flags & (shutdown | crashed)) !== 0 ? 'shutdown' : 'running';
  }

  /** The domain that Xen knows as the one that keeps xenstore; null where a process does, or nobody. */
  xenstoreDomain(): DomainId | null {
    for (let from = 1; ; ) {
      const first = this.#firstFrom(from);
      if (first === null || first === 'unknown') return null;
      if ((first.flags & xenstoreDomain) !== 0) return first.domain as DomainId;
      from = first.domain + 1;
    }
  }

  /** The first domain that has this number or a higher one; null where there is none. */
  #firstFrom(
    domain: number,
  ): { readonly domain: number; readonly flags: number } | null | 'unknown' {
    const count = this.#ask(this.#handle, domain, 1, this.#info);
    if (count <= 0) return koffi.errno() === koffi.os.errno.ESRCH ? null : 'unknown';
    return {
      domain: this.#info.readUInt32LE(0),
      flags: this.#info.readUInt32LE(flagsOffset),
    };
  }

  close(): void {
    this.#close(this.#handle);
  }
}
