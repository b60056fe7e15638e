import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import { isServiceError } from '../../pool/rpc/status.ts';
import type { CallSettings } from '../../proto/client.ts';
import type {
  RestartServiceResponse,
  ServiceRestarted,
  SupervisedService,
} from '../../proto/gen/flotilla.pool.v1.ts';
import { callFailure } from '../connection/call.ts';
import type { HostClients } from '../connection/pool-connection.ts';
import type { Problem } from '../problem.ts';

/** A restart that a host has accepted. */
export interface BegunRestart {
  /** The host's name. */
  readonly host: string;
  /** The service as it was before. */
  readonly before: SupervisedService;
  readonly messages: AsyncIterator<RestartServiceResponse>;
}

/**
 * Asks a host for a restart, and waits as long as `timeout` until it has accepted it; `stop` ends the whole.
 * Nothing is begun where it fails, or it is begun and nobody was told: to ask again does no harm then.
 */
export async function beginRestart(
  to: HostClients,
  request: { readonly host: string; readonly service: string },
  { timeout }: CallSettings,
  stop: AbortSignal,
): Promise<Result<BegunRestart, ServiceError>> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeout);
  const signal = AbortSignal.any([stop, late.signal]);
  const stream = to.supervisor.restartService(request, { signal });
  const messages = (stream as AsyncIterable<RestartServiceResponse>)[Symbol.asyncIterator]();
  try {
    const first = await messages.next();
    const accepted = first.done === true ? undefined : first.value.accepted;
    if (accepted?.service) {
      const { host, service: before } = accepted;
      return ok({ host, before, messages });
    }
    stream.cancel();
    return fail(errorOf(status.INTERNAL, 'it answered with something else'));
  } catch (error) {
    if (!isServiceError(error)) throw error;
    return fail(late.signal.aborted ? errorOf(status.DEADLINE_EXCEEDED, 'no answer') : error);
  } finally {
    clearTimeout(timer);
  }
}

/** How a restart ended that was accepted. */
export type RestartEnd =
  | { readonly kind: 'restarted'; readonly restarted: ServiceRestarted }
  | { readonly kind: 'failed'; readonly problem: Problem }
  /** Whoever told of it is away: the restart goes on. */
  | { readonly kind: 'lost'; readonly why: string };

/** Follows a restart to its end, or to that of the connection. */
export async function followRestart(
  { messages }: BegunRestart,
  onProgress: (text: string) => void,
): Promise<RestartEnd> {
  try {
    for (;;) {
      const next = await messages.next();
      if (next.done === true) return { kind: 'lost', why: 'it ended without a last word' };
      const { progress, restarted } = next.value;
      if (progress !== undefined) onProgress(progress);
      if (restarted !== undefined) return { kind: 'restarted', restarted };
    }
  } catch (error) {
    if (!isServiceError(error)) throw error;
    const failure = callFailure(error);
    if (failure.kind === 'silent') return { kind: 'lost', why: failure.why };
    const { problem } = failure;
    return failure.kind === 'refused'
      ? { kind: 'failed', problem }
      : { kind: 'lost', why: problem.message };
  }
}

function errorOf(code: status, details: string): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}
