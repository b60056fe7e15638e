import { unreachable } from '../../../base/assert.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import {
  type Bytes,
  bytes,
  formatBytes,
  type Milliseconds,
  milliseconds,
} from '../../../base/units.ts';
import {
  controlDomain,
  type Domain,
  type DomainConfig,
  type DomainId,
  type HypervisorError,
} from '../../port.ts';
import { backendFailure, deviceFailure, diskFailure, lostDisk, otherBackend } from './backends.ts';
import { strikeCall, strikeGuest } from './faults.ts';
import { newGuest } from './guest.ts';
import { askToStop, holdGuest, resumeGuest } from './life.ts';
import type { Host, Output, SimulatedDomain } from './state.ts';
import type { Call, CallId, CallValue } from './vocabulary.ts';

/** First of the numbers that Xen keeps for itself (DOMID_FIRST_RESERVED); ids wrap before it. */
const firstReservedId = 0x7ff0;

type Answer = Result<CallValue, HypervisorError>;

const done: Answer = ok({ kind: 'done' });

/** The output that ends a call. */
export function answer(call: CallId, result: Answer): Output {
  return { kind: 'answer', call, result };
}

/** One call of the port. Most answer at once; building and destroying answer later. */
export function call(host: Host, now: Milliseconds, id: CallId, request: Call): Output[] {
  if (request.kind === 'createDomain') return create(host, now, id, request);
  if (request.kind === 'info' || request.kind === 'listDomains') {
    const struck = strikeCall(host.faults, null, request.kind);
    if (struck?.kind === 'call-hangs') return [];
    if (struck?.kind === 'call-fails') return [answer(id, injected(struck.code))];
    const value = request.kind === 'info' ? info(host) : list(host);
    return [answer(id, ok(value))];
  }
  const domain = host.domains.get(request.id);
  const struck = strikeCall(host.faults, domain?.config.uuid ?? null, request.kind);
  if (struck?.kind === 'call-hangs') return [];
  if (struck?.kind === 'call-fails') return [answer(id, injected(struck.code))];
  if (domain === undefined) return [answer(id, noDomain(request.id))];
  if (request.kind === 'destroyDomain') return destroy(host, now, id, domain);
  if (domain.state.kind === 'dying') return [answer(id, noDomain(request.id))];
  return control(host, now, id, domain, request);
}

type Control = Exclude<Call, { kind: 'info' | 'listDomains' | 'createDomain' | 'destroyDomain' }>;

function control(
  host: Host,
  now: Milliseconds,
  call: CallId,
  domain: SimulatedDomain,
  request: Control,
): Output[] {
  if (!domain.built) return [answer(call, refuse('hypervisor-failed', 'the domain is half built'))];
  const { id } = domain;
  switch (request.kind) {
    case 'connectDisk': {
      const { disk } = request;
      const built = domain.config.disks.find(({ vdev }) => vdev === disk.vdev);
      if (built === undefined) return [answer(call, noDevice(domain, `disk ${disk.vdev}`))];
      const wrong =
        diskFailure(host, disk) ?? otherBackend(domain, built, disk) ?? lostDisk(domain, disk);
      if (wrong !== null) return [answer(call, fail(wrong))];
      domain.disks.set(disk.vdev, disk);
      return [answer(call, done)];
    }
    case 'nicInterface':
    case 'connectNic': {
      const { index } = request;
      const nic = domain.config.nics.find((candidate) => candidate.index === index);
      if (nic === undefined) return [answer(call, noDevice(domain, `NIC ${index}`))];
      const wrong = backendFailure(host, nic.backend, `NIC ${index}`);
      if (wrong !== null) return [answer(call, fail(wrong))];
      if (request.kind === 'nicInterface')
        return [answer(call, ok({ kind: 'interface', name: `vif${id}.${index}` }))];
      domain.nics.add(index);
      return [answer(call, done)];
    }
    case 'unservedDevices': {
      const disks = domain.config.disks.map(({ vdev }) => vdev);
      const nics = domain.config.nics.map(({ index }) => index);
      const devices = {
        disks: disks.filter((vdev) => !domain.disks.has(vdev)),
        nics: nics.filter((index) => !domain.nics.has(index)),
      };
      return [answer(call, ok({ kind: 'unserved', devices }))];
    }
    case 'unpause':
      if (domain.state.kind !== 'paused') return [answer(call, done)];
      domain.state = { kind: 'running' };
      resumeGuest(host, domain, now);
      return [{ kind: 'changed', id }, answer(call, done)];
    case 'pause':
      if (domain.state.kind !== 'running') return [answer(call, done)];
      domain.state = { kind: 'paused' };
      holdGuest(host, domain, now);
      return [{ kind: 'changed', id }, answer(call, done)];
    case 'requestShutdown':
      if (domain.state.kind !== 'shutdown') askToStop(host, domain, request.reason, now);
      return [answer(call, done)];
    case 'openConsole':
      return [answer(call, done)];
  }
  return unreachable(request);
}

function create(
  host: Host,
  now: Milliseconds,
  call: CallId,
  { config, files }: Extract<Call, { kind: 'createDomain' }>,
): Output[] {
  const struck = strikeCall(host.faults, config.uuid, 'createDomain');
  const failure =
    struck?.kind === 'call-fails' ? injected(struck.code).error : findFailure(host, config, files);
  const injectedFailure = struck?.kind === 'call-fails';
  if (failure !== null && !injectedFailure) return [answer(call, fail(failure))];
  const crashes = strikeGuest(host.faults, config.uuid, 'guest-crashes');
  const domain: SimulatedDomain = {
    id: config.id ?? freshId(host),
    config,
    built: false,
    state: { kind: 'paused' },
    guest: newGuest(config, host.config.latency.boot, crashes),
    disks: new Map(),
    nics: new Set(),
    lost: new Set(),
    drained: false,
  };
  host.domains.set(domain.id, domain);
  if (struck?.kind !== 'call-hangs') {
    const at = milliseconds(now + host.config.latency.create);
    host.timers.push({ at, id: domain.id, event: { kind: 'built', call, failure } });
  }
  return [{ kind: 'changed', id: domain.id }];
}

function findFailure(
  host: Host,
  config: DomainConfig,
  files: HypervisorError | null,
): HypervisorError | null {
  for (const { config: other, id } of host.domains.values()) {
    if (other.uuid === config.uuid)
      return refuse('domain-exists', `domain ${id} has the UUID ${config.uuid} already`).error;
    if (other.name === config.name)
      return refuse('domain-exists', `domain ${id} has the name ${config.name} already`).error;
  }
  if (config.id === controlDomain || (config.id !== undefined && host.domains.has(config.id)))
    return refuse('domain-exists', `there is a domain ${config.id} already`).error;
  if (files !== null) return files;
  const devices = deviceFailure(host, config);
  if (devices !== null) return devices;
  const free = memoryFree(host);
  if (config.memory > free)
    return refuse(
      'out-of-memory',
      `the domain needs ${formatBytes(config.memory)}, and the host has ${formatBytes(free)} free`,
    ).error;
  return null;
}

function destroy(host: Host, now: Milliseconds, call: CallId, domain: SimulatedDomain): Output[] {
  const { id } = domain;
  const at = milliseconds(now + host.config.latency.destroy);
  const first = domain.state.kind !== 'dying';
  domain.state = { kind: 'dying' };
  const outputs: Output[] = first ? [{ kind: 'changed', id }] : [];
  for (const { id: of, event } of host.timers)
    if (of === id && event.kind === 'built')
      outputs.push(answer(event.call, refuse('hypervisor-failed', 'destroyed while it was built')));
  host.timers = host.timers.filter((timer) => timer.id !== id || timer.event.kind === 'gone');
  host.timers.push({ at, id, event: { kind: 'gone', call } });
  return outputs;
}

function info(host: Host): CallValue {
  const { cpus, memory } = host.config;
  return {
    kind: 'info',
    info: {
      kind: 'simulated',
      version: 'simulated',
      cpus,
      memoryTotal: memory,
      memoryFree: memoryFree(host),
    },
  };
}

function list(host: Host): CallValue {
  const domains = [...host.domains.values()].map(
    ({ id, config: { uuid, name, memory, vcpus }, state }): Domain => ({
      id,
      uuid,
      name,
      state,
      memory,
      vcpus,
      processor: null,
    }),
  );
  return { kind: 'domains', domains };
}

function memoryFree(host: Host): Bytes {
  let free: number = host.config.memory;
  for (const { config } of host.domains.values()) free -= config.memory;
  return bytes(Math.max(0, free));
}

function freshId(host: Host): DomainId {
  do host.lastId = host.lastId + 1 < firstReservedId ? host.lastId + 1 : 1;
  while (host.domains.has(host.lastId as DomainId));
  return host.lastId as DomainId;
}

function refuse(
  code: HypervisorError['code'],
  detail: string,
): { readonly ok: false; readonly error: HypervisorError } {
  return fail({ code, detail });
}

function injected(code: HypervisorError['code']): ReturnType<typeof refuse> {
  return refuse(code, `a simulated fault: ${code}`);
}

function noDomain(id: DomainId): Answer {
  return refuse('domain-not-found', `there is no domain ${id} on this host`);
}

function noDevice(domain: SimulatedDomain, device: string): Answer {
  return refuse('device-unavailable', `domain ${domain.id} was built without ${device}`);
}
