import koffi from 'koffi';
import { fail, ok, type Result } from '../../base/result.ts';
import { asynchronously } from './asynchronously.ts';
import type { LibxlFailure } from './errors.ts';
import {
  type DomInfo,
  domInfoStruct,
  type Libraries,
  type Out,
  type PhysInfo,
  type Pointer,
  physInfoStruct,
  type VersionInfo,
  versionInfoStruct,
} from './libraries.ts';
import { LibxlLog } from './log.ts';

/** The outcome of one call of libxl. */
export type LibxlResult<Value> = Result<Value, LibxlFailure>;

/** What became of an attempt to build a domain. */
export type Built =
  | { readonly kind: 'built'; readonly domid: number }
  | { readonly kind: 'too-big'; readonly needKib: number; readonly freeKib: number };

/** Bytes for a struct that only libxl looks into; the largest, `libxl_domain_config`, has 1288. */
const structSize = 16 * 2 ** 10;

/** `INVALID_DOMID` of libxl.h. */
const noDomain = 0xffff_ffff;

const kibPerPage = 4;

/** Pages that a new domain could have: free ones, less those that others have claimed. */
export function freePages({ free_pages, scrub_pages, outstanding_pages }: PhysInfo): number {
  return Math.max(0, free_pages + scrub_pages - outstanding_pages);
}

/**
 * One `libxl_ctx`. It holds connections to the hypervisor and to xenstore, and does one call at a
 * time: whoever wants several at once takes several contexts. Every call runs on another thread,
 * so that this process goes on answering while libxl waits.
 */
export class LibxlContext {
  readonly #libraries: Libraries;
  readonly #log: LibxlLog;
  readonly #context: Pointer;

  private constructor(libraries: Libraries, log: LibxlLog, context: Pointer) {
    this.#libraries = libraries;
    this.#log = log;
    this.#context = context;
  }

  /** Opens the hypervisor and xenstore; fails where there is none. */
  static async open(libraries: Libraries): Promise<LibxlResult<LibxlContext>> {
    const call = 'libxl_ctx_alloc';
    const log = LibxlLog.open(libraries);
    if (!log.ok) return fail({ call, code: -5, log: log.error });
    const context: Out<Pointer> = [null];
    const code = await asynchronously<number>((done) =>
      libraries.libxl_ctx_alloc.async(context, 0, 0, log.value.logger, done),
    );
    if (code === 0) return ok(new LibxlContext(libraries, log.value, context[0]));
    const said = log.value.take();
    log.value.close();
    return fail({ call, code, log: said });
  }

  /** Closes the connections. The context is not to be used again. */
  async free(): Promise<void> {
    await asynchronously<number>((done) =>
      this.#libraries.libxl_ctx_free.async(this.#context, done),
    );
    this.#log.close();
  }

  /** Every domain of the host, domain 0 included. */
  async listDomains(): Promise<LibxlResult<readonly DomInfo[]>> {
    const count: Out<number> = [0];
    const list = await asynchronously<Pointer>((done) =>
      this.#libraries.libxl_list_domain.async(this.#context, count, done),
    );
    if (list === null) return fail(this.#failure('libxl_list_domain', -3));
    const domains: DomInfo[] = koffi.decode(list, domInfoStruct, count[0]);
    this.#libraries.libxl_dominfo_list_free(list, count[0]);
    this.#log.take();
    return ok(domains);
  }

  /** One domain, or null if there is none of that number. */
  async domain(domid: number): Promise<LibxlResult<DomInfo | null>> {
    const info = Buffer.alloc(structSize);
    const code = await asynchronously<number>((done) =>
      this.#libraries.libxl_domain_info.async(this.#context, info, domid, done),
    );
    const failure = this.#failure('libxl_domain_info', code);
    const notFound = -21;
    if (code === notFound) return ok(null);
    if (code !== 0) return fail(failure);
    const decoded: DomInfo = koffi.decode(info, domInfoStruct);
    return ok(decoded);
  }

  /** What the host has and what of it is free. */
  async physInfo(): Promise<LibxlResult<PhysInfo>> {
    const info = Buffer.alloc(structSize);
    const code = await asynchronously<number>((done) =>
      this.#libraries.libxl_get_physinfo.async(this.#context, info, done),
    );
    const failure = this.#failure('libxl_get_physinfo', code);
    if (code !== 0) return fail(failure);
    const decoded: PhysInfo = koffi.decode(info, physInfoStruct);
    return ok(decoded);
  }

  /** Which Xen this is. The context owns the memory that libxl returns. */
  async versionInfo(): Promise<LibxlResult<VersionInfo>> {
    const info = await asynchronously<Pointer>((done) =>
      this.#libraries.libxl_get_version_info.async(this.#context, done),
    );
    const failure = this.#failure('libxl_get_version_info', -3);
    if (info === null) return fail(failure);
    const decoded: VersionInfo = koffi.decode(info, versionInfoStruct);
    return ok(decoded);
  }

  /**
   * Builds a domain of a configuration in JSON and leaves it paused; or says that it needs more
   * memory than the host has free, before anything was built.
   */
  async createDomain(json: string): Promise<LibxlResult<Built>> {
    const { libxl_domain_config_init, libxl_domain_config_dispose } = this.#libraries;
    const config = Buffer.alloc(structSize);
    libxl_domain_config_init(config);
    try {
      const call = 'libxl_domain_config_from_json';
      const code = this.#libraries[call](this.#context, config, json);
      if (code !== 0) return fail(this.#failure(call, code));
      const needKib = await this.#neededMemory(config);
      if (!needKib.ok) return needKib;
      const host = await this.physInfo();
      if (!host.ok) return host;
      const freeKib = freePages(host.value) * kibPerPage;
      if (needKib.value > freeKib) return ok({ kind: 'too-big', needKib: needKib.value, freeKib });
      return await this.#build(config);
    } finally {
      libxl_domain_config_dispose(config);
    }
  }

  /** What a domain of this configuration takes from the host, in KiB; fills in its defaults. */
  async #neededMemory(config: Uint8Array): Promise<LibxlResult<number>> {
    const kib: Out<number> = [0];
    const code = await asynchronously<number>((done) =>
      this.#libraries.libxl_domain_need_memory.async(this.#context, config, noDomain, kib, done),
    );
    const failure = this.#failure('libxl_domain_need_memory', code);
    return code === 0 ? ok(kib[0]) : fail(failure);
  }

  async #build(config: Uint8Array): Promise<LibxlResult<Built>> {
    const { libxl_domain_create_new } = this.#libraries;
    const domid: Out<number> = [noDomain];
    const code = await asynchronously<number>((done) =>
      libxl_domain_create_new.async(this.#context, config, domid, null, null, done),
    );
    const failure = this.#failure('libxl_domain_create_new', code);
    return code === 0 ? ok({ kind: 'built', domid: domid[0] }) : fail(failure);
  }

  /** Stops the domain's virtual CPUs. */
  pause(domid: number): Promise<LibxlResult<void>> {
    return this.#onDomain('libxl_domain_pause', domid);
  }

  /** Lets the domain's virtual CPUs run. */
  unpause(domid: number): Promise<LibxlResult<void>> {
    return this.#onDomain('libxl_domain_unpause', domid);
  }

  /** Ends the domain and its devices. */
  destroy(domid: number): Promise<LibxlResult<void>> {
    return this.#onDomain('libxl_domain_destroy', domid);
  }

  async #onDomain(
    call: 'libxl_domain_pause' | 'libxl_domain_unpause' | 'libxl_domain_destroy',
    domid: number,
  ): Promise<LibxlResult<void>> {
    const code = await asynchronously<number>((done) =>
      this.#libraries[call].async(this.#context, domid, null, done),
    );
    const failure = this.#failure(call, code);
    return code === 0 ? ok(undefined) : fail(failure);
  }

  /** Takes what the last call logged, whether it failed or not. */
  #failure(call: string, code: number): LibxlFailure {
    return { call, code, log: this.#log.take() };
  }
}
