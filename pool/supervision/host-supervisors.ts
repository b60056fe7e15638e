import { fail, ok, type Result } from '../../base/result.ts';
import type { Failure } from '../failure.ts';
import { type AskFailure, askSupervisor } from './ask.ts';
import type { Supervised } from './messages.ts';

/** What a supervisor knows without asking anybody is answered at once; one that hangs holds up nobody: ms. */
const statusPatience = 5_000;

/** A service, as the supervisor has it that keeps it. */
export interface KeptService {
  /** As it was when it was looked for. */
  readonly service: Supervised;
  /**
   * Starts it anew; resolves when it serves again, or does not. Null: `signal` ended the waiting, and the
   * restart goes on.
   */
  restart(
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Result<{ readonly away: number; readonly id: number | null } | null, Failure>>;
}

/** The supervisors of one host, for those who ask from afar. */
export interface HostSupervisors {
  /** What they keep running. SERVICE_UNAVAILABLE where none of them answers. */
  list(): Promise<Result<readonly Supervised[], Failure>>;
  /** One of these services. NOT_FOUND where nobody keeps it. */
  find(service: string): Promise<Result<KeptService, Failure>>;
}

/** A supervisor that was asked how its services do. */
interface Asked {
  readonly socket: string;
  readonly answer: Result<readonly Supervised[], string>;
}

/** The supervisors of a host behind their sockets; one that says that it is of another host is none of them. */
export function hostSupervisors(host: string, sockets: readonly string[]): HostSupervisors {
  const ask = async (socket: string): Promise<Asked> => {
    const signal = AbortSignal.timeout(statusPatience);
    const answer = await askSupervisor(socket, { ask: 'status' }, { signal });
    if (!answer.ok) return { socket, answer: fail(reasonOf(answer.error)) };
    if (answer.value.kind !== 'status') return { socket, answer: fail('it does not say') };
    const { host: other, services } = answer.value;
    return { socket, answer: other === host ? ok(services) : fail(`it is of ${other}`) };
  };
  const askAll = async (): Promise<Result<readonly Asked[], Failure>> => {
    if (sockets.length === 0) return fail(notTold(host));
    const asked = await Promise.all(sockets.map(ask));
    return asked.some(({ answer }) => answer.ok) ? ok(asked) : fail(nobody(host, asked));
  };
  return {
    list: async () => {
      const asked = await askAll();
      return asked.ok ? ok(servicesOf(asked.value)) : asked;
    },
    find: async (named) => {
      const asked = await askAll();
      if (!asked.ok) return asked;
      for (const { socket, answer } of asked.value) {
        const service = answer.ok ? answer.value.find((each) => each.service === named) : undefined;
        if (service === undefined) continue;
        return ok({ service, restart: (...how) => restart(host, socket, named, ...how) });
      }
      return fail(notKept(host, named, asked.value));
    },
  };
}

async function restart(
  host: string,
  socket: string,
  service: string,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): ReturnType<KeptService['restart']> {
  const answer = await askSupervisor(socket, { ask: 'restart', service }, { onProgress, signal });
  if (!answer.ok) {
    if (answer.error.kind === 'stopped') return ok(null);
    return fail({
      reason: 'SERVICE_UNAVAILABLE',
      message: `the supervisor of ${service} of ${host} was lost: ${answer.error.detail}`,
      remedy: `See how ${service} does: flotilla host show ${host}.`,
    });
  }
  if (answer.value.kind === 'restarted')
    return ok({ away: answer.value.away, id: answer.value.id });
  const { message, remedy } =
    answer.value.kind === 'failed'
      ? answer.value
      : { message: 'its supervisor answered with something else', remedy: '' };
  return fail({
    reason: 'WRONG_STATE',
    message,
    remedy,
    resource: { type: 'service', name: service },
  });
}

function servicesOf(asked: readonly Asked[]): readonly Supervised[] {
  return asked.flatMap(({ answer }) => (answer.ok ? answer.value : []));
}

function reasonOf({ kind, detail }: AskFailure): string {
  return kind === 'stopped' ? `no answer in ${statusPatience / 1000} s` : detail;
}

function silence(asked: readonly Asked[]): string {
  return asked
    .flatMap(({ socket, answer }) => (answer.ok ? [] : [`${socket}: ${answer.error}`]))
    .join('; ');
}

function notTold(host: string): Failure {
  return {
    reason: 'WRONG_STATE',
    message: `vm-lifecycle of ${host} was not told where the supervisors of its host are`,
    remedy:
      'Write their sockets into "supervisors" of its configuration, as flotilla up and flotilla host up do, and start it anew.',
  };
}

function nobody(host: string, asked: readonly Asked[]): Failure {
  return {
    reason: 'SERVICE_UNAVAILABLE',
    message: `no supervisor of ${host} answers (${silence(asked)})`,
    remedy: `See whether flotilla up, flotilla host up or flotilla service-guests runs on ${host}; its services go on without.`,
  };
}

/** Where a supervisor is silent, the service may be one of its. */
function notKept(host: string, service: string, asked: readonly Asked[]): Failure {
  const kept = servicesOf(asked).map((each) => each.service);
  const silent = silence(asked);
  if (silent === '')
    return {
      reason: 'NOT_FOUND',
      message: `no supervisor keeps ${service} for ${host}`,
      remedy: `Its services are ${kept.join(', ')}.`,
      resource: { type: 'service', name: service },
    };
  return {
    reason: 'SERVICE_UNAVAILABLE',
    message: `no supervisor of ${host} that answers keeps ${service} (${silent})`,
    remedy: kept.includes('service-guests')
      ? `See how the one of its guests does: flotilla host show ${host}; it is started anew by flotilla host restart service-guests.`
      : `Those that answer keep ${kept.join(', ')}.`,
  };
}
