import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../base/result.ts';
import { formatBytes } from '../../base/units.ts';
import { checkBootFiles } from '../boot-files.ts';
import {
  controlDomain,
  type DomainConfig,
  type DomainId,
  type Hypervisor,
  type HypervisorError,
} from '../port.ts';
import { ChangeWatcher } from './changes.ts';
import { XenConsoles } from './consoles.ts';
import { freePages, type LibxlContext, type LibxlResult } from './context.ts';
import { ContextPool } from './context-pool.ts';
import { XenDevices } from './devices.ts';
import { libxlConfig } from './domain-config.ts';
import { type LibxlFailure, libxlError } from './errors.ts';
import type { DomInfo, Libraries } from './libraries.ts';
import { domainOf, domainState, domainUuid, kibibytes } from './states.ts';
import { Store } from './store.ts';

/** Domains that are built or destroyed at once; each takes a thread for seconds. */
const longCallsMax = 6;

/** Calls of milliseconds at once: they must not wait for the long ones. */
const shortCallsMax = 4;

/** A destroyed domain is gone once its memory is free, which takes Xen a second per few GiB. */
const gonePause = 100;
const goneAttempts = 600;

const pageSize = 4096;

/**
 * libxl counts whole seconds: even where a number may be used again at once (`client.ts`), that is
 * not before the second of its domain's end is over.
 */
const freshNumberPause = 1_100;

type Answer<Value> = Promise<Result<Value, HypervisorError>>;

/**
 * Xen through libxl. It belongs into a process of its own (`worker.ts`): libxl takes the process's
 * SIGCHLD, forks, and ends the process when it loses xenstore.
 */
export class LibxlHypervisor implements Hypervisor {
  readonly #long: ContextPool;
  readonly #short: ContextPool;
  readonly #store: Store;
  readonly #devices: XenDevices;
  readonly #consoles: XenConsoles;
  readonly #changes: ChangeWatcher;
  readonly #names = new Map<DomainId, { uuid: string; name: string }>();
  /** UUIDs and names of domains that are being built, which Xen may not list yet. */
  readonly #building = new Set<string>();

  /** Uses the libraries of a machine on which Xen runs. */
  constructor(libraries: Libraries) {
    this.#long = new ContextPool(libraries, longCallsMax);
    this.#short = new ContextPool(libraries, shortCallsMax);
    this.#store = new Store(libraries);
    this.#devices = new XenDevices(this.#store, async (id) => {
      const found = await this.#look(id);
      return found.ok ? ok(found.value !== null && !found.value.dying) : found;
    });
    this.#consoles = new XenConsoles(this.#store);
    this.#changes = new ChangeWatcher(async () => {
      const listed = await this.#short.use((context) => context.listDomains());
      return listed.ok ? guests(listed.value).map((info) => domainOf(info, '')) : null;
    });
  }

  async info(): ReturnType<Hypervisor['info']> {
    const read = await this.#short.use(async (context) => {
      const version = await context.versionInfo();
      if (!version.ok) return version;
      const host = await context.physInfo();
      return host.ok ? ok({ version: version.value, host: host.value }) : host;
    });
    if (!read.ok) return fail(libxlError('ask Xen what it is', read.error));
    const { version, host } = read.value;
    return ok({
      kind: 'xen',
      version: `${version.xen_version_major}.${version.xen_version_minor}${version.xen_version_extra ?? ''}`,
      cpus: host.nr_cpus,
      memoryTotal: kibibytes((host.total_pages * pageSize) / 1024),
      memoryFree: kibibytes((freePages(host) * pageSize) / 1024),
    });
  }

  async listDomains(): ReturnType<Hypervisor['listDomains']> {
    const listed = await this.#short.use((context) => context.listDomains());
    if (!listed.ok) return fail(libxlError('list the domains', listed.error));
    const infos = guests(listed.value);
    const domains = [];
    for (const info of infos) {
      const name = await this.#nameOf(info);
      if (!name.ok) return name;
      domains.push(domainOf(info, name.value));
    }
    for (const id of this.#names.keys())
      if (!infos.some(({ domid }) => domid === id)) this.#names.delete(id);
    return ok(domains);
  }

  async createDomain(config: DomainConfig): Answer<DomainId> {
    const identity = [config.uuid, config.name];
    if (identity.some((key) => this.#building.has(key)))
      return fail(exists(`a domain ${config.uuid} or ${config.name} is being built`));
    for (const key of identity) this.#building.add(key);
    try {
      const wrong = await this.#refusal(config);
      if (wrong !== null) return fail(wrong);
      return await this.#build(config);
    } finally {
      for (const key of identity) this.#building.delete(key);
      this.#changes.look();
    }
  }

  async connectDisk(...[id, disk]: Parameters<Hypervisor['connectDisk']>): Answer<void> {
    const found = await this.#find(id);
    return found.ok ? this.#devices.connectDisk(id, disk) : found;
  }

  async nicInterface(id: DomainId, index: number): Answer<string> {
    const found = await this.#find(id);
    return found.ok ? this.#devices.nicInterface(id, index) : found;
  }

  async connectNic(id: DomainId, index: number): Answer<void> {
    const found = await this.#find(id);
    return found.ok ? this.#devices.connectNic(id, index) : found;
  }

  async unservedDevices(id: DomainId): ReturnType<Hypervisor['unservedDevices']> {
    const found = await this.#find(id);
    return found.ok ? this.#devices.unserved(id) : found;
  }

  // Xen counts pauses, and refuses to unpause what is not paused; the port does neither.
  async unpause(id: DomainId): Answer<void> {
    const found = await this.#find(id);
    if (!found.ok) return found;
    if (!found.value.paused) return ok(undefined);
    return this.#control('unpause', id, (context) => context.unpause(id));
  }

  async pause(id: DomainId): Answer<void> {
    const found = await this.#find(id);
    if (!found.ok) return found;
    if (found.value.paused) return ok(undefined);
    return this.#control('pause', id, (context) => context.pause(id));
  }

  // libxl_domain_shutdown writes the same node, then waits a minute for the guest to answer.
  async requestShutdown(...[id, reason]: Parameters<Hypervisor['requestShutdown']>): Answer<void> {
    const found = await this.#find(id);
    if (!found.ok) return found;
    if (domainState(found.value).kind === 'shutdown') return ok(undefined);
    return this.#store.write(`/local/domain/${id}/control/shutdown`, reason);
  }

  async destroyDomain(id: DomainId): Answer<void> {
    const found = await this.#look(id);
    if (!found.ok) return found;
    if (found.value === null) return fail(noDomain(id));
    const marked = await this.#devices.keepMarks(id);
    if (!marked.ok) return marked;
    const destroyed = await this.#devices.releasing(id, () =>
      this.#long.use((context) => context.destroy(id)),
    );
    for (let attempt = 0; attempt < goneAttempts; attempt += 1) {
      const left = await this.#look(id);
      if (!left.ok) return left;
      if (left.value === null) {
        this.#consoles.end(id);
        this.#changes.look();
        return ok(undefined);
      }
      if (!destroyed.ok && !left.value.dying)
        return fail(libxlError(`destroy domain ${id}`, destroyed.error));
      await sleep(gonePause);
    }
    const detail = `domain ${id} stays in dying: another domain holds some of its memory`;
    return fail({ code: 'hypervisor-failed', detail });
  }

  async openConsole(id: DomainId): ReturnType<Hypervisor['openConsole']> {
    const found = await this.#find(id);
    return found.ok ? this.#consoles.open(id) : found;
  }

  watch(...[listener]: Parameters<Hypervisor['watch']>): () => void {
    return this.#changes.watch(listener);
  }

  close(): Promise<void> {
    this.#changes.stop();
    return Promise.resolve();
  }

  async #refusal(config: DomainConfig): Promise<HypervisorError | null> {
    if (config.id === controlDomain) return exists('there is a domain 0 already');
    const listed = await this.listDomains();
    if (!listed.ok) return listed.error;
    for (const { id, uuid, name } of listed.value) {
      if (uuid === config.uuid) return exists(`domain ${id} has the UUID ${uuid} already`);
      if (name === config.name) return exists(`domain ${id} has the name ${name} already`);
      if (id === config.id) return exists(`there is a domain ${id} already`);
    }
    if (config.kernel === '')
      return { code: 'boot-file-missing', detail: 'no kernel was named; a Xen guest needs one' };
    return (await checkBootFiles(config)) ?? (await this.#devices.check(config));
  }

  async #build(config: DomainConfig): Answer<DomainId> {
    const json = libxlConfig(config);
    const attempt = () => this.#long.use((context) => context.createDomain(json));
    let built = await attempt();
    if (!built.ok && numberIsTooFresh(config, built.error)) {
      await this.#destroyLeftover(config.uuid);
      await sleep(freshNumberPause);
      built = await attempt();
    }
    if (!built.ok) {
      await this.#destroyLeftover(config.uuid);
      return fail(libxlError(`build ${config.name}`, built.error));
    }
    if (built.value.kind === 'built') return ok(built.value.domid as DomainId);
    const need = formatBytes(kibibytes(built.value.needKib));
    const free = formatBytes(kibibytes(built.value.freeKib));
    const detail = `${config.name} needs ${need}, and the host has ${free} free`;
    return fail({ code: 'out-of-memory', detail });
  }

  /** libxl undoes what it began; this is for when that failed too. */
  async #destroyLeftover(uuid: string): Promise<void> {
    const listed = await this.#short.use((context) => context.listDomains());
    const left = listed.ok ? listed.value.find((info) => domainUuid(info) === uuid) : undefined;
    if (left !== undefined) await this.destroyDomain(left.domid as DomainId);
  }

  async #control(
    what: string,
    id: DomainId,
    use: (context: LibxlContext) => Promise<LibxlResult<void>>,
  ): Answer<void> {
    const done = await this.#short.use(use);
    this.#changes.look();
    return done.ok ? done : fail(libxlError(`${what} domain ${id}`, done.error));
  }

  async #look(id: DomainId): Answer<DomInfo | null> {
    const found = await this.#short.use((context) => context.domain(id));
    return found.ok ? found : fail(libxlError(`find domain ${id}`, found.error));
  }

  /** A domain that can still be acted upon. */
  async #find(id: DomainId): Answer<DomInfo> {
    const found = await this.#look(id);
    if (!found.ok) return found;
    return found.value === null || found.value.dying ? fail(noDomain(id)) : ok(found.value);
  }

  async #nameOf(info: DomInfo): Answer<string> {
    const id = info.domid as DomainId;
    const uuid = domainUuid(info);
    const known = this.#names.get(id);
    if (known?.uuid === uuid) return ok(known.name);
    const name = await this.#store.read(`/local/domain/${id}/name`);
    if (!name.ok) return name;
    if (name.value !== null) this.#names.set(id, { uuid, name: name.value });
    return ok(name.value ?? '');
  }
}

function numberIsTooFresh({ id }: DomainConfig, { log }: LibxlFailure): boolean {
  return id !== undefined && /domain id recently used/.test(log);
}

function guests(infos: readonly DomInfo[]): DomInfo[] {
  return infos.filter(({ domid }) => domid !== 0);
}

function exists(detail: string): HypervisorError {
  return { code: 'domain-exists', detail };
}

function noDomain(id: DomainId): HypervisorError {
  return { code: 'domain-not-found', detail: `there is no domain ${id} on this host` };
}
