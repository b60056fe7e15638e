import { fail, ok, type Result } from '../../base/result.ts';
import type { Supervised } from '../../pool/supervision/messages.ts';
import type { RestartFailure, SupervisorHandlers } from '../../pool/supervision/serve.ts';
import type { HostPlan } from './host-plan.ts';
import type { KeptProcess, ProcessState } from './process.ts';

/** What is known of a host's processes, for those who ask its supervisor. */
export interface SupervisedProcesses {
  /** A process is in another state. */
  heard(name: string, state: ProcessState): void;
  /** What can be asked; `find` gives the process of a name. */
  handlers(find: (name: string) => KeptProcess | undefined): SupervisorHandlers;
}

/** The last state of a process. */
interface Known {
  state: ProcessState;
  starts: number;
}

type Restarted = Result<{ readonly away: number; readonly id: number | null }, RestartFailure>;

/** Follows the processes of a host. What stands for its hardware is none of its services. */
export function supervisedProcesses({ host, processes }: HostPlan): SupervisedProcesses {
  const services = processes
    .map(({ name }) => name)
    .filter((name) => name !== 'simulated-hypervisor');
  const known = new Map<string, Known>();
  const listeners = new Set<(name: string, state: ProcessState) => void>();

  const restart = (
    service: string,
    running: KeptProcess,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Restarted> => {
    const asked = performance.now();
    let anew = false;
    return new Promise((resolve) => {
      const end = (outcome: Restarted): void => {
        listeners.delete(hear);
        resolve(outcome);
      };
      const hear = (name: string, state: ProcessState): void => {
        if (name !== service) return;
        onProgress(progressOf(service, state));
        if (state.kind === 'starting') anew = true;
        // What still comes of the run that is to end is not what is waited for.
        if (!anew) return;
        if (state.kind === 'serving')
          end(ok({ away: Math.round(performance.now() - asked), id: state.pid }));
        else if (state.kind === 'refused' || state.kind === 'stopped')
          end(
            fail({
              message: `${service} of ${host.name} does not start: ${state.reason}`,
              remedy: `See its log: logs/${service}.log in the host's directory.`,
            }),
          );
      };
      listeners.add(hear);
      signal.addEventListener('abort', () =>
        end(fail({ message: 'nobody waits for it any more', remedy: '' })),
      );
      onProgress(`${service} is asked to end`);
      void running.restart();
    });
  };

  return {
    heard: (name, state) => {
      const before = known.get(name)?.starts ?? 0;
      known.set(name, { state, starts: state.kind === 'starting' ? before + 1 : before });
      for (const listener of [...listeners]) listener(name, state);
    },
    handlers: (find) => ({
      host: host.name,
      status: () => services.map((service) => statusOf(service, known.get(service))),
      restart: (service, onProgress, signal) => {
        const running = services.some((name) => name === service) ? find(service) : undefined;
        if (running !== undefined) return restart(service, running, onProgress, signal);
        const message = `${host.name} runs no ${service}`;
        const remedy = `Its services are ${services.join(', ')}.`;
        return Promise.resolve(fail({ message, remedy }));
      },
    }),
  };
}

function statusOf(service: string, known: Known | undefined): Supervised {
  const state = known?.state ?? { kind: 'starting' };
  return {
    service,
    kind: 'process',
    state: state.kind,
    id: state.kind === 'serving' ? state.pid : null,
    starts: known?.starts ?? 0,
    detail: 'reason' in state ? state.reason : '',
  };
}

/** A process's state as a line for a log. */
export function progressOf(service: string, state: ProcessState): string {
  switch (state.kind) {
    case 'starting':
      return `${service} is started`;
    case 'serving':
      return `${service} serves, as process ${state.pid}`;
    case 'waiting':
      return `${service} ended (${state.reason}); it is started again in ${state.wait / 1000} s`;
    case 'refused':
      return `${service} refuses to start (${state.reason})`;
    case 'stopped':
      return `${service} was stopped (${state.reason})`;
  }
}
