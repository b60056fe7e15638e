import { assert } from '../../base/assert.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { ConsoleHub } from '../console-hub.ts';
import type { Console, DomainListener, HypervisorError } from '../port.ts';
import { type Clock, systemClock } from './clock.ts';
import type { SimulatedHypervisor } from './controls.ts';
import { type Input, newHost, nextDeadline, type Output } from './core/state.ts';
import { step } from './core/step.ts';
import type { Call, CallId, CallValue, HostConfig } from './core/vocabulary.ts';
import { defaultHost } from './defaults.ts';
import { checkFiles, type FileCheck } from './files.ts';

/** How a simulated host is made. What is left out is `defaultHost`, real time and real files. */
export interface SimulatedOptions extends Partial<HostConfig> {
  readonly clock?: Clock;
  readonly files?: FileCheck;
}

type Answer = Result<CallValue, HypervisorError>;

const closedAnswer = fail<HypervisorError>({
  code: 'hypervisor-unavailable',
  detail: 'the simulated hypervisor was closed',
});

/** A simulated host in this process; its domains end with the process. */
export function createSimulated(options: SimulatedOptions = {}): SimulatedHypervisor {
  const clock = options.clock ?? systemClock;
  const files = options.files ?? checkFiles;
  const host = newHost({
    cpus: options.cpus ?? defaultHost.cpus,
    memory: options.memory ?? defaultHost.memory,
    latency: options.latency ?? defaultHost.latency,
  });
  const waiting = new Map<CallId, (answer: Answer) => void>();
  const watchers = new Set<DomainListener>();
  const consoles = new ConsoleHub({
    typed: (id, data) => feed({ kind: 'typed', id, text: Buffer.from(data).toString('utf8') }),
    unwatched: () => undefined,
  });
  let lastCall = 0;
  let disarm: (() => void) | null = null;
  let closed = false;

  const feed = (input: Input): void => {
    if (closed) return;
    for (const output of step(host, clock.now(), input)) effect(output);
    disarm?.();
    const deadline = nextDeadline(host);
    const delay = deadline === null ? null : milliseconds(Math.max(0, deadline - clock.now()));
    disarm = delay === null ? null : clock.after(delay, () => feed({ kind: 'tick' }));
  };

  const effect = (output: Output): void => {
    switch (output.kind) {
      case 'answer': {
        const resolve = waiting.get(output.call);
        waiting.delete(output.call);
        resolve?.(output.result);
        break;
      }
      case 'changed':
        for (const listener of [...watchers]) listener(output.id);
        break;
      case 'printed':
        consoles.print(output.id, Buffer.from(output.text));
        break;
      case 'console-ended':
        consoles.end(output.id);
    }
  };

  const ask = (request: Call): Promise<Answer> => {
    if (closed) return Promise.resolve(closedAnswer);
    lastCall += 1;
    const call = lastCall;
    return new Promise((resolve) => {
      waiting.set(call, resolve);
      feed({ kind: 'call', call, request });
    });
  };

  const control = async (request: Call): Promise<Result<void, HypervisorError>> => {
    const answer = await ask(request);
    return answer.ok ? ok(undefined) : answer;
  };

  return {
    info: async () => {
      const answer = await ask({ kind: 'info' });
      if (!answer.ok) return answer;
      assert(answer.value.kind === 'info', 'info answers with the info');
      return ok(answer.value.info);
    },
    listDomains: async () => {
      const answer = await ask({ kind: 'listDomains' });
      if (!answer.ok) return answer;
      assert(answer.value.kind === 'domains', 'listDomains answers with domains');
      return ok(answer.value.domains);
    },
    createDomain: async (config) => {
      const answer = await ask({ kind: 'createDomain', config, files: await files(config) });
      if (!answer.ok) return answer;
      assert(answer.value.kind === 'id', 'createDomain answers with an id');
      return ok(answer.value.id);
    },
    connectDisk: (id, disk) => control({ kind: 'connectDisk', id, disk }),
    nicInterface: async (id, index) => {
      const answer = await ask({ kind: 'nicInterface', id, index });
      if (!answer.ok) return answer;
      assert(answer.value.kind === 'interface', 'nicInterface answers with a name');
      return ok(answer.value.name);
    },
    connectNic: (id, index) => control({ kind: 'connectNic', id, index }),
    unservedDevices: async (id) => {
      const answer = await ask({ kind: 'unservedDevices', id });
      if (!answer.ok) return answer;
      assert(answer.value.kind === 'unserved', 'unservedDevices answers with devices');
      return ok(answer.value.devices);
    },
    unpause: (id) => control({ kind: 'unpause', id }),
    pause: (id) => control({ kind: 'pause', id }),
    requestShutdown: (id, reason) => control({ kind: 'requestShutdown', id, reason }),
    destroyDomain: (id) => control({ kind: 'destroyDomain', id }),
    openConsole: async (id): Promise<Result<Console, HypervisorError>> => {
      const answer = await ask({ kind: 'openConsole', id });
      return answer.ok ? ok(consoles.open(id)) : answer;
    },
    watch: (listener) => {
      const own: DomainListener = (id) => listener(id);
      watchers.add(own);
      return () => watchers.delete(own);
    },
    close: () => {
      closed = true;
      disarm?.();
      watchers.clear();
      consoles.closeAll();
      for (const resolve of waiting.values()) resolve(closedAnswer);
      waiting.clear();
      return Promise.resolve();
    },
    inject: (fault) => {
      feed({ kind: 'inject', fault });
      return Promise.resolve(ok(undefined));
    },
    connectedDevices: (id) => {
      const domain = host.domains.get(id);
      if (domain === undefined)
        return Promise.resolve(
          fail({ code: 'domain-not-found', detail: `there is no domain ${id} on this host` }),
        );
      return Promise.resolve(
        ok({ disks: [...domain.disks.values()], nics: [...domain.nics].sort((a, b) => a - b) }),
      );
    },
  };
}
