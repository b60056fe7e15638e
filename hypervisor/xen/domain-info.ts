import koffi, { type KoffiFunc } from 'koffi';
import type { DomainId } from '../port.ts';
import type { DomainPresence } from '../xenstore-port.ts';
import type { Pointer } from './libraries.ts';

/**
 * The first fields of `xc_domaininfo_t`, xen/include/public/domctl.h: the domid, a word of 16 bits, at
 * 0; the flags, of 32 bits, at 4.
 */
const flagsOffset = 4;
const dying = 1 << 0;
const shutdown = 1 << 2;
const xenstoreDomain = 1 << 7;

/** More than such a struct has in any version. */
const infoSize = 1024;

/** What the hypervisor knows of domains, by libxenctrl. */
export class DomainInfo {
  readonly #handle: Pointer;
  readonly #close: KoffiFunc<(handle: Pointer) => number>;
  readonly #list: KoffiFunc<
    (handle: Pointer, first: number, most: number, info: Uint8Array) => number
  >;
  readonly #info = Buffer.alloc(infoSize);

  /** Opens the hypervisor; throws where there is none. */
  constructor() {
    const library = koffi.load('libxenctrl.so.4.17');
    const open: KoffiFunc<(logger: null, domainLogger: null, flags: number) => Pointer> =
      library.func('void *xc_interface_open(void *logger, void *domainLogger, uint flags)');
    this.#close = library.func('int xc_interface_close(void *handle)');
    this.#list = library.func(
      'int xc_domain_getinfolist(void *handle, uint32_t first, uint most, uint8_t *info)',
    );
    this.#handle = open(null, null, 0);
    if (this.#handle === null) throw new Error('the hypervisor cannot be asked about domains');
  }

  /** Asks about one domain; where that fails it counts as running. */
  presence(domain: DomainId): DomainPresence {
    // The list begins with the first domain that has this number or a higher one.
    const count = this.#list(this.#handle, domain, 1, this.#info);
    if (count < 0) return 'running';
    if (count === 0 || this.#info.readUInt16LE(0) !== domain) return 'gone';
    const flags = this.#info.readUInt32LE(flagsOffset);
    if ((flags & dying) !== 0) return 'gone';
    return (flags & shutdown) !== 0 ? 'shutdown' : 'running';
  }

  /** The domain that Xen knows as the one that keeps xenstore; null where a process does, or nobody. */
  xenstoreDomain(): DomainId | null {
    for (let first = 1; this.#list(this.#handle, first, 1, this.#info) === 1; ) {
      const domain = this.#info.readUInt16LE(0);
      if ((this.#info.readUInt32LE(flagsOffset) & xenstoreDomain) !== 0) return domain as DomainId;
      first = domain + 1;
    }
    return null;
  }

  close(): void {
    this.#close(this.#handle);
  }
}
